import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakePulsarClient } from "../harness/fake-pulsar-client.ts";
import { createNative, openNative, topic } from "../harness/native-rig.ts";

/** PEM of one half of a new pair of keys. */
async function keyFile(type: "rsa" | "ec", half: "public" | "private" = "public"): Promise<string> {
  const pair =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2_048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const path = join(await mkdtemp(join(tmpdir(), "native-key-")), "key.pem");
  const pem =
    half === "public"
      ? pair.publicKey.export({ type: "spki", format: "pem" })
      : pair.privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(path, pem);
  return path;
}

describe("what the official client is told", () => {
  it("hands the client each of its settings under the client's own name", async () => {
    const native = new FakePulsarClient();
    await createNative(native, {
      serviceUrl: "pulsar+ssl://b1,b2:7000",
      tls: { trustCertPath: "/ca.pem", allowInsecure: true, hostnameVerification: false },
      operationTimeoutMs: 2_500,
      connectTimeoutMs: 700,
      listenerName: "outside",
    });
    expect(native.clients).toEqual([
      {
        serviceUrl: "pulsar+ssl://b1:6651,b2:7000",
        operationTimeoutSeconds: 3,
        connectionTimeoutMs: 700,
        tlsTrustCertsFilePath: "/ca.pem",
        tlsAllowInsecureConnection: true,
        tlsValidateHostname: false,
        listenerName: "outside",
        statsIntervalInSeconds: 0,
        logLevel: 1,
        log: expect.any(Function),
      },
    ]);
  });

  it("hands a producer each of its settings: Murmur3 and our router, for ever to send, a queue that our window cannot fill", async () => {
    const native = new FakePulsarClient();
    await openNative(native, {
      producerProperties: { application: "pulsar-source" },
      compression: "ZLIB",
      maxPendingMessages: 7,
    });
    expect(native.producers).toEqual([
      {
        topic,
        sendTimeoutMs: 2_147_483_647,
        maxPendingMessages: 8,
        maxPendingMessagesAcrossPartitions: 2_147_483_647,
        blockIfQueueFull: false,
        messageRoutingMode: "CustomPartition",
        hashingScheme: "Murmur3_32Hash",
        messageRouter: expect.any(Function),
        compressionType: "Zlib",
        accessMode: "Shared",
        batchingType: "DefaultBatching",
        properties: { application: "pulsar-source" },
        batchingEnabled: true,
        batchingMaxMessages: 1_000,
        batchingMaxPublishDelayMs: 10,
        batchingMaxAllowedSizeInBytes: 131_072,
      },
    ]);
  });

  it.each([
    ["of one message", { batching: { maxDelayMs: 1, maxMessages: 1, maxBytes: 1 } }],
    ["where there shall be none", { batching: undefined }],
    ["from a producer with a name, whose messages may be repeated", { producerName: "shard-0" }],
  ])("sends no batch %s", async (_, options) => {
    const native = new FakePulsarClient();
    await openNative(native, options);
    expect(native.producers[0]).toMatchObject({ batchingEnabled: false });
    expect(native.producers[0]).not.toHaveProperty("batchingMaxMessages");
  });

  it("refuses U+0000 in what a producer is told, and names the option", async () => {
    const native = new FakePulsarClient();
    await expect(openNative(native, { producerProperties: { a: "\0" } })).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_OPTION",
      message: expect.stringContaining("producerProperties"),
    });
    await expect(openNative(native, { producerName: "\0" })).rejects.toMatchObject({
      message: expect.stringContaining("producerName"),
    });
  });

  it("hands over access, time-out, schema and batches by key; and refuses a schema that the binding has not", async () => {
    const native = new FakePulsarClient();
    const batching = { maxDelayMs: 5, maxMessages: 9, maxBytes: 99, byKey: true };
    const schema = { type: "JSON", definition: Buffer.from("{}"), properties: { a: "b" } } as const;
    await openNative(native, { accessMode: "Exclusive", sendTimeoutMs: 50, schema, batching });
    expect(native.producers[0]).toMatchObject({
      accessMode: "Exclusive",
      sendTimeoutMs: 50,
      batchingType: "KeyBasedBatching",
      schema: { schemaType: "Json", schema: "{}", properties: { a: "b" } },
    });
    await expect(openNative(native, { schema: { ...schema, type: "DATE" } })).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_OPTION",
      message: expect.stringContaining("schema"),
    });
  });

  it("hands over a key to encrypt with, by the client's own names", async () => {
    const native = new FakePulsarClient();
    const publicKeyPath = await keyFile("rsa");
    await openNative(native, { encryption: { publicKeyPath, keyNames: ["one", "two"], onFailure: "SEND" } });
    expect(native.producers[0]).toMatchObject({
      publicKeyPath,
      encryptionKeys: ["one", "two"],
      cryptoFailureAction: "SEND",
    });
  });

  it.each([
    ["of another kind", () => keyFile("ec"), ["k"], "RSA"],
    ["that is a private one", () => keyFile("rsa", "private"), ["k"], "openssl rsa -pubout"],
    ["that is not there", () => Promise.resolve("/no/such/key.pem"), ["k"], "path of an RSA public key"],
    ["without a name", () => keyFile("rsa"), [], "encryptionKeys"],
  ])("opens no producer with a key %s", async (_, file, keyNames, remedy) => {
    const native = new FakePulsarClient();
    const encryption = { publicKeyPath: await file(), keyNames, onFailure: "FAIL" } as const;
    await expect(openNative(native, { encryption })).rejects.toMatchObject({
      code: "PIO_INVALID_ENCRYPTION",
      remedy: expect.stringContaining(remedy),
    });
    expect(native.producers).toEqual([]);
  });
});
