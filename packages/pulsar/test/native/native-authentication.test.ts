import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { FakePulsarClient } from "../harness/fake-pulsar-client.ts";
import { createNative } from "../harness/native-rig.ts";

const javaAuth = "org.apache.pulsar.client.impl.auth.";

describe("the official client's authentication", () => {
  it.each([
    ["nothing", undefined, undefined, []],
    ["a token", "token", "token:abc", [["AuthenticationToken", { token: "abc" }]]],
    [
      "a token by Java's name",
      `${javaAuth}AuthenticationToken`,
      '{"token":"abc"}',
      [["AuthenticationToken", { token: "abc" }]],
    ],
    [
      "a client certificate",
      `${javaAuth}AuthenticationTls`,
      "tlsCertFile:/c.pem,tlsKeyFile:/k.pem",
      [["AuthenticationTls", { certificatePath: "/c.pem", privateKeyPath: "/k.pem" }]],
    ],
    [
      "a password",
      `${javaAuth}AuthenticationBasic`,
      '{"userId":"u","password":"p"}',
      [["AuthenticationBasic", { username: "u", password: "p" }]],
    ],
    [
      "OAuth2",
      `${javaAuth}oauth2.AuthenticationOAuth2`,
      '{"issuerUrl":"https://i","privateKey":"file:///k","audience":"a","scope":"s"}',
      [
        [
          "AuthenticationOauth2",
          {
            type: "client_credentials",
            issuer_url: "https://i",
            private_key: "file:///k",
            audience: "a",
            scope: "s",
          },
        ],
      ],
    ],
    [
      "Athenz",
      `${javaAuth}AuthenticationAthenz`,
      '{"tenantDomain":"t","tenantService":"s","providerDomain":"p","privateKey":"file:///k","ztsUrl":"https://z"}',
      [
        [
          "AuthenticationAthenz",
          '{"tenantDomain":"t","tenantService":"s","providerDomain":"p","privateKey":"file:///k","ztsUrl":"https://z"}',
        ],
      ],
    ],
  ])("proves who it is by %s", async (_, authPlugin, authParams, expected) => {
    const native = new FakePulsarClient();
    await createNative(native, { authPlugin, authParams });
    expect(native.authentications).toEqual(expected);
    expect(native.clients[0]?.authentication !== undefined).toBe(expected.length > 0);
  });

  it("reads a token anew whenever the client asks, and never leaves the client waiting for one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "native-token-"));
    const path = join(folder, "token");
    await writeFile(path, "first\n");
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    await createNative(native, { authPlugin: "token", authParams: `file://${path}` }, { logger });
    const [, params] = native.authentications[0] ?? [];
    const { token } = params as { token: () => Promise<string> }; // a token of a file may change
    expect(await token()).toBe("first");
    await writeFile(path, "second");
    expect(await token()).toBe("second");
    await rm(folder, { recursive: true });
    expect(await token()).toBe("");
    expect(logger.messages("warn")).toEqual(["credentials could not be refreshed"]);
  });

  it.each([
    ["Kerberos", `${javaAuth}AuthenticationSasl`, "", "PIO_UNSUPPORTED_AUTHENTICATION"],
    ["a Java key store", `${javaAuth}AuthenticationKeyStoreTls`, "", "PIO_UNSUPPORTED_AUTHENTICATION"],
    [
      "OAuth2 with a key on the web",
      "oauth2",
      '{"issuerUrl":"https://i","privateKey":"https://k"}',
      "PIO_INVALID_AUTHENTICATION",
    ],
    [
      "Athenz without its service",
      "athenz",
      '{"providerDomain":"p","privateKey":"k","ztsUrl":"z"}',
      "PIO_INVALID_AUTHENTICATION",
    ],
    ["a password without a user", "basic", '{"password":"p"}', "PIO_INVALID_AUTHENTICATION"],
    ["an empty token", "token", "", "PIO_INVALID_AUTHENTICATION"],
  ])("refuses %s with a remedy", async (_, authPlugin, authParams, code) => {
    await expect(createNative(new FakePulsarClient(), { authPlugin, authParams })).rejects.toMatchObject({
      code,
      remedy: expect.any(String),
    });
  });
});
