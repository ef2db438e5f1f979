import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { resolveAuthentication } from "../../src/auth/authentication.ts";

const javaToken = "org.apache.pulsar.client.impl.auth.AuthenticationToken";
const environment = { PULSAR_TOKEN: "from-env\n" };

async function credentials(params: string, plugin = "token"): Promise<string> {
  const bytes = await resolveAuthentication({ plugin, params, environment }).credentials();
  return Buffer.from(bytes).toString();
}

describe("resolveAuthentication", () => {
  it.each([undefined, "", "none", "org.apache.pulsar.client.impl.auth.AuthenticationDisabled"])(
    "takes plugin %s for none",
    async (plugin) => {
      const none = resolveAuthentication({ plugin, environment });
      expect(none.method).toBe("none");
      expect(await none.credentials()).toHaveLength(0);
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
    expect(resolveAuthentication({ plugin: javaToken, params, environment }).method).toBe("token");
  });

  it("reads the token's file anew each time", async () => {
    const folder = await mkdtemp(join(tmpdir(), "token-"));
    const file = join(folder, "token");
    try {
      await writeFile(file, "one\n");
      const token = resolveAuthentication({
        plugin: "token",
        params: pathToFileURL(file).href,
        environment,
      });
      expect(Buffer.from(await token.credentials()).toString()).toBe("one");
      await writeFile(file, "two");
      expect(Buffer.from(await token.credentials()).toString()).toBe("two");
      expect(await credentials(`file:${file}`)).toBe("two");
      await writeFile(file, " \n");
      await expect(token.credentials()).rejects.toMatchObject({ code: "PIO_INVALID_AUTHENTICATION" });
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
      expect(() => resolveAuthentication({ plugin: "token", params, environment })).toThrow(
        expect.objectContaining({
          code: "PIO_INVALID_AUTHENTICATION",
          message: expect.not.stringContaining("s3cr3t"),
        }),
      );
    },
  );

  it.each(["tls", "org.apache.pulsar.client.impl.auth.AuthenticationAthenz"])(
    "refuses the plugin %s and names those there are",
    (plugin) => {
      expect(() => resolveAuthentication({ plugin, environment })).toThrow(
        expect.objectContaining({
          code: "PIO_UNSUPPORTED_AUTHENTICATION",
          message: expect.stringContaining(plugin),
          remedy: expect.stringContaining("AuthenticationToken"),
        }),
      );
    },
  );
});
