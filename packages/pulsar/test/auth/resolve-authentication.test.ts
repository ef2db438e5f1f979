import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { type AuthenticationSettings, resolveAuthentication } from "../../src/auth/resolve-authentication.ts";
import { never } from "../harness/wire.ts";

const javaToken = "org.apache.pulsar.client.impl.auth.AuthenticationToken";
const javaBasic = "org.apache.pulsar.client.impl.auth.AuthenticationBasic";
const environment = { PULSAR_TOKEN: "from-env\n", LOGIN: '{"userId":"jane","password":"s3cr3t"}' };

function authentication(settings: Pick<AuthenticationSettings, "plugin" | "params">) {
  return resolveAuthentication({ ...settings, environment, clock: new TestClock(), fetch });
}

async function credentials(params: string, plugin = "token"): Promise<string> {
  return Buffer.from(await authentication({ plugin, params }).credentials(never)).toString();
}

describe("resolveAuthentication", () => {
  it.each([undefined, "", "none", "org.apache.pulsar.client.impl.auth.AuthenticationDisabled"])(
    "takes plugin %s for none",
    async (plugin) => {
      const none = authentication({ plugin });
      expect(none.method).toBe("none");
      expect(await none.credentials(never)).toHaveLength(0);
    },
  );

  it.each([
    ["token:abc", "abc"],
    ["abc.def", "abc.def"],
    ['{"token":"abc"}', "abc"],
    [" token:abc\n", "abc"],
    ["env:PULSAR_TOKEN", "from-env"],
  ])("reads the token of %s, under the short name and Java's", async (params, token) => {
    expect(await credentials(params)).toBe(token);
    expect(await credentials(params, javaToken)).toBe(token);
    expect(authentication({ plugin: javaToken, params }).method).toBe("token");
  });

  it("reads the token's file anew each time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "token-"));
    const file = join(folder, "token");
    try {
      await writeFile(file, "one\n");
      const token = authentication({ plugin: "token", params: pathToFileURL(file).href });
      expect(Buffer.from(await token.credentials(never)).toString()).toBe("one");
      await writeFile(file, "two");
      expect(Buffer.from(await token.credentials(never)).toString()).toBe("two");
      expect(await credentials(`file:${file}`)).toBe("two");
      await writeFile(file, " \n");
      await expect(token.credentials(never)).rejects.toMatchObject({ code: "PIO_INVALID_AUTHENTICATION" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("names the file or the variable that is not there", async () => {
    await expect(credentials("file:///no/such/token")).rejects.toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      message: expect.stringContaining("/no/such/token"),
    });
    await expect(credentials("env:NOT_SET")).rejects.toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      message: expect.stringContaining("NOT_SET"),
    });
  });

  it.each(["", "{", '{"token":1}', '{"s3cr3t"', "file://host/path"])(
    "refuses the parameters %s",
    (params) => {
      expect(() => authentication({ plugin: "token", params })).toThrow(
        expect.objectContaining({
          code: "PIO_INVALID_AUTHENTICATION",
          message: expect.not.stringContaining("s3cr3t"),
        }),
      );
    },
  );

  it("refuses a token with a blank in it, without showing it", async () => {
    await expect(credentials("token:Bearer s3cr3t")).rejects.toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      message: "the authentication token holds blanks or characters that no token has",
    });
  });

  it.each(['{"userId":"jane","password":"s3cr3t"}', "env:LOGIN"])(
    "writes user and password of %s as basic wants them, under the short name and Java's",
    async (params) => {
      expect(await credentials(params, "basic")).toBe("jane:s3cr3t");
      expect(await credentials(params, javaBasic)).toBe("jane:s3cr3t");
      expect(authentication({ plugin: "basic", params }).method).toBe("basic");
    },
  );

  it.each([
    ["basic", "", "there are none"],
    ["basic", "jane:s3cr3t", "they are no JSON"],
    ["basic", '{"userId":"s3cr3t"}', "password is missing"],
    ["basic", '["s3cr3t"]', "they are no JSON"],
    ["tls", "", "there are none"],
    ["tls", "tlsCertFile:/c", "tlsKeyFile is missing"],
    ["tls", "/c,/k", "a part of them is no name:value"],
    ["tls", '{"tlsCertFile":"/c"}', "tlsKeyFile is missing"],
    ["oauth2", "", "there are none"],
    ["oauth2", '{"issuerUrl":"https://i"}', "privateKey is missing"],
    ["oauth2", '{"privateKey":"file:///k"}', "issuerUrl is missing"],
    [
      "oauth2",
      '{"issuerUrl":"i","privateKey":"file:///k"}',
      "issuerUrl is no http(s) address without a user in it",
    ],
    [
      "oauth2",
      '{"issuerUrl":"https://u:s3cr3t@i","privateKey":"file:///k"}',
      "issuerUrl is no http(s) address without a user in it",
    ],
    [
      "oauth2",
      '{"issuerUrl":"https://i","privateKey":"s3cr3t"}',
      "privateKey is neither file:///path, env:NAME nor data:application/json;base64,…",
    ],
    [
      "oauth2",
      '{"type":"password","issuerUrl":"https://i","privateKey":"file:///k"}',
      "their type is not client_credentials",
    ],
  ])("refuses with %s the parameters %s: %s", (plugin, params, why) => {
    expect(() => authentication({ plugin, params })).toThrow(
      expect.objectContaining({
        code: "PIO_INVALID_AUTHENTICATION",
        message: `the parameters of the authentication plugin ${plugin} are not valid: ${why}`,
        remedy: expect.stringMatching(/^give/),
      }),
    );
  });

  it.each([
    ["NoSuch", "AuthenticationToken"],
    ["org.apache.pulsar.client.impl.auth.AuthenticationKeyStoreTls", "PEM files"],
    ["org.apache.pulsar.client.impl.auth.AuthenticationAthenz", "native transport"],
    ["org.apache.pulsar.client.impl.auth.AuthenticationSasl", "native transport"],
    ["constructor", "AuthenticationToken"],
  ])("refuses the plugin %s and says what there is instead: %s", (plugin, instead) => {
    expect(() => authentication({ plugin })).toThrow(
      expect.objectContaining({
        code: "PIO_UNSUPPORTED_AUTHENTICATION",
        message: expect.stringContaining(plugin),
        remedy: expect.stringContaining(instead),
      }),
    );
  });

  it.each(["eyJhbGciOiJIUzI1NiJ9.s3cr3t.x", "token:s3cr3t"])(
    "does not repeat %s, a token in the place of its plugin",
    (plugin) => {
      expect(() => authentication({ plugin })).toThrow(
        expect.objectContaining({ message: "the authentication plugin that was given is not supported" }),
      );
    },
  );
});
