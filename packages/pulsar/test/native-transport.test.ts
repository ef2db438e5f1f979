import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger, RecordingMeter, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import {
  createNativeTransport,
  defaultPublisherOptions,
  type NativeHost,
  type OutgoingMessage,
  type PublisherOptions,
  type WireOptions,
} from "../src/index.ts";
import { FakePulsarClient } from "./harness/fake-pulsar-client.ts";
import { liveBytes } from "./harness/live-memory.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never } from "./harness/wire.ts";

const tls = { allowInsecure: false, hostnameVerification: true };
const topic = "persistent://public/default/t";
const javaAuth = "org.apache.pulsar.client.impl.auth.";

function create(
  native: FakePulsarClient,
  options: Partial<WireOptions> = {},
  host: Partial<NativeHost> = {},
) {
  return createNativeTransport(
    { serviceUrl: "pulsar://b1:6650", tls, ...options },
    {
      clock: systemClock,
      logger: new RecordingLogger(),
      meter: silentMeter,
      environment: { TOKEN: "from-env" },
      load: () => Promise.resolve({ default: native.module }),
      ...host,
    },
  );
}

async function open(native: FakePulsarClient, options: Partial<PublisherOptions> = {}) {
  const transport = await create(native);
  return await transport.open(topic, { ...defaultPublisherOptions, ...options }, never);
}

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

const settled = () => new Promise((resolve) => setImmediate(resolve));
const numbered = (index: number): OutgoingMessage => ({ value: Buffer.from(String(index)) });

describe("the native transport", () => {
  it("hands the client each of its settings under the client's own name", async () => {
    const native = new FakePulsarClient();
    await create(native, {
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
    await open(native, {
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
    await open(native, options);
    expect(native.producers[0]).toMatchObject({ batchingEnabled: false });
    expect(native.producers[0]).not.toHaveProperty("batchingMaxMessages");
  });

  it("hands a message over as it is, and tells where it was stored", async () => {
    const native = new FakePulsarClient();
    const publisher = await open(native, { producerName: "shard-0" });
    const deliveries = new Deliveries();
    const message = {
      value: Uint8Array.of(0, 255),
      key: "k",
      orderingKey: Buffer.from("o"),
      properties: { a: "b" },
      eventTime: 5,
    };
    deliveries.send(publisher, message, 9n);
    expect(native.handedOver.map((one) => one.message)).toEqual([
      {
        data: Buffer.of(0, 255),
        partitionKey: "k",
        orderingKey: "o",
        properties: { a: "b" },
        eventTimestamp: 5,
        sequenceId: 9,
      },
    ]);
    native.handedOver[0]?.stored("(12345678901234567890,7,2,3)");
    await settled();
    expect(deliveries.stored).toEqual([
      { ledgerId: 12345678901234567890n, entryId: 7n, partition: 2, batchIndex: 3 },
    ]);
  });

  it("routes as the wire transport does: by the key, else by the sequence id", async () => {
    const native = new FakePulsarClient();
    native.partitions = 3;
    const publisher = await open(native, { producerName: "shard-0" });
    const deliveries = new Deliveries();
    for (const key of ["a", "key", "key-1", "user-42", ""])
      deliveries.send(publisher, { value: Buffer.of(1), key });
    for (const id of [3n, 4n, 8n]) deliveries.send(publisher, numbered(0), id);
    expect(native.handedOver.map((one) => one.partition)).toEqual([2, 2, 1, 0, 0, 0, 1, 2]);
  });

  it("keeps what is beyond the window to itself, in order, and hands it over as receipts come", async () => {
    const native = new FakePulsarClient();
    const publisher = await open(native, { maxPendingMessages: 2 });
    const deliveries = new Deliveries();
    for (const index of [0, 1, 2, 3, 4]) deliveries.send(publisher, numbered(index));
    expect([publisher.full, native.handedOver.length]).toEqual([true, 2]);
    native.handedOver[0]?.stored("(1,0,-1,-1)");
    await settled();
    native.handedOver[1]?.refused("MessageTooBig");
    await settled();
    expect(native.handedOver.map((one) => one.message.data.toString())).toEqual(["0", "1", "2", "3"]);
    expect([publisher.full, deliveries.settled]).toEqual([true, 2]);
    const flushed = publisher.flush(never);
    expect(native.flushes).toBe(1);
    for (const index of [2, 3, 4]) {
      native.handedOver[index]?.stored(`(1,${index},-1,-1)`);
      await settled();
    }
    await flushed;
    expect(publisher.full).toBe(false);
    expect(deliveries.order).toEqual([0, 1, 2, 3, 4]);
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
  });

  it.each([
    ["a key of bytes", { key: Buffer.of(1) }],
    ["an ordering key that is no UTF-8", { orderingKey: Buffer.of(255) }],
    ["U+0000 in its key", { key: "a\0b" }],
    ["U+0000 in a property", { properties: { a: "\0" } }],
  ])("refuses a message with %s, which the binding would change, and goes on", async (_, odd) => {
    const native = new FakePulsarClient();
    const publisher = await open(native, { maxPendingMessages: 1 });
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.of(1), ...odd });
    deliveries.send(publisher, numbered(1));
    await settled();
    expect(deliveries.failed).toMatchObject([
      { code: "PIO_MESSAGE_REFUSED", remedy: expect.stringContaining("wire transport") },
    ]);
    expect(native.handedOver).toHaveLength(1);
  });

  it("refuses U+0000 in what a producer is told, and names the option", async () => {
    const native = new FakePulsarClient();
    await expect(open(native, { producerProperties: { a: "\0" } })).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_OPTION",
      message: expect.stringContaining("producerProperties"),
    });
    await expect(open(native, { producerName: "\0" })).rejects.toMatchObject({
      message: expect.stringContaining("producerName"),
    });
  });

  it("takes sequence ids only of a named producer, and only as they rise", async () => {
    const native = new FakePulsarClient();
    const named = new Deliveries();
    const publisher = await open(native, { producerName: "shard-0" });
    for (const id of [5n, 5n, 4n, -1n, 2n ** 53n, 6n]) named.send(publisher, numbered(0), id);
    const nameless = new Deliveries();
    nameless.send(await open(native), numbered(0), 1n);
    await settled();
    expect(native.handedOver.map((one) => one.message.sequenceId)).toEqual([5, 6]);
    expect([...named.failed, ...nameless.failed].map((error) => error.code)).toEqual(
      Array.from({ length: 5 }, () => "PIO_INVALID_SEQUENCE_ID"),
    );
  });

  it("tells a duplicate from a message that a topic without storage dropped", async () => {
    const native = new FakePulsarClient();
    const transport = await create(native);
    const outcomes = [];
    for (const name of [topic, "non-persistent://public/default/t"]) {
      const publisher = await transport.open(name, { ...defaultPublisherOptions, producerName: "p" }, never);
      const deliveries = new Deliveries();
      deliveries.send(publisher, numbered(0), 1n);
      native.handedOver.at(-1)?.stored("(-1,-1,-1,-1)");
      await settled();
      outcomes.push([deliveries.settled, deliveries.failed.map((error) => error.code)]);
    }
    expect(outcomes).toEqual([
      [1, []],
      [1, ["PIO_MESSAGE_NOT_STORED"]],
    ]);
  });

  it("hands over access, time-out, schema and batches by key; and refuses a schema that the binding has not", async () => {
    const native = new FakePulsarClient();
    const batching = { maxDelayMs: 5, maxMessages: 9, maxBytes: 99, byKey: true };
    const schema = { type: "JSON", definition: Buffer.from("{}"), properties: { a: "b" } } as const;
    await open(native, { accessMode: "Exclusive", sendTimeoutMs: 50, schema, batching });
    expect(native.producers[0]).toMatchObject({
      accessMode: "Exclusive",
      sendTimeoutMs: 50,
      batchingType: "KeyBasedBatching",
      schema: { schemaType: "Json", schema: "{}", properties: { a: "b" } },
    });
    await expect(open(native, { schema: { ...schema, type: "DATE" } })).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_OPTION",
      message: expect.stringContaining("schema"),
    });
  });

  it("hands over a key to encrypt with, by the client's own names", async () => {
    const native = new FakePulsarClient();
    const publicKeyPath = await keyFile("rsa");
    await open(native, { encryption: { publicKeyPath, keyNames: ["one", "two"], onFailure: "SEND" } });
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
    await expect(open(native, { encryption })).rejects.toMatchObject({
      code: "PIO_INVALID_ENCRYPTION",
      remedy: expect.stringContaining(remedy),
    });
    expect(native.producers).toEqual([]);
  });

  it("says of a message whose time is up that it may have been stored", async () => {
    const native = new FakePulsarClient();
    const deliveries = new Deliveries();
    deliveries.send(await open(native, { sendTimeoutMs: 50 }), numbered(0));
    native.handedOver[0]?.refused("TimeOut");
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_SEND_TIMEOUT"]);
  });

  it("ends with a topic that is terminated: what waits and what comes fails alike", async () => {
    const native = new FakePulsarClient();
    const publisher = await open(native, { maxPendingMessages: 1 });
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    deliveries.send(publisher, numbered(1));
    native.handedOver[0]?.refused("TopicTerminated");
    await settled();
    deliveries.send(publisher, numbered(2));
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual(
      Array.from({ length: 3 }, () => "PIO_TOPIC_TERMINATED"),
    );
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    expect(native.handedOver).toHaveLength(1);
  });

  it("tells publishers to one topic apart by the names they were given, in what it measures", async () => {
    const native = new FakePulsarClient();
    const meter = new RecordingMeter();
    const transport = await create(native, {}, { meter });
    const deliveries = new Deliveries();
    for (const producerName of ["a", "b", undefined]) {
      const publisher = await transport.open(topic, { ...defaultPublisherOptions, producerName }, never);
      for (let index = producerName === "a" ? 0 : 1; index < 3; index += 1)
        deliveries.send(publisher, numbered(index));
    }
    const pending = "pulsar_ts_io_publisher_pending_messages";
    expect(meter.value(pending, { topic, producer: "a" })).toBe(3);
    expect(meter.value(pending, { topic, producer: "b" })).toBe(2);
    expect(meter.value(pending, { topic })).toBe(7); // all series of the topic together
    await transport.close();
  });

  it("forgets publishers that are closed", async () => {
    const native = new FakePulsarClient();
    const transport = await create(native, {}, { logger: silentLogger });
    const openMany = async () => {
      for (let index = 0; index < 2_000; index += 1)
        await (await transport.open(topic, defaultPublisherOptions, never)).close();
      native.producers.length = 0;
      native.closed.length = 0;
      return await liveBytes();
    };
    const before = await openMany();
    expect((await openMany()) - before).toBeLessThan(1_000_000);
    await transport.close();
  });

  it("fails what is not settled when it is closed, once, and closes producer and client", async () => {
    const native = new FakePulsarClient();
    const transport = await create(native);
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, maxPendingMessages: 1 },
      never,
    );
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    deliveries.send(publisher, numbered(1));
    await transport.close();
    await transport.close();
    native.handedOver[0]?.stored("(1,0,-1,-1)");
    await settled();
    expect(deliveries.failed.map((error) => error.code)).toEqual([
      "PIO_PUBLISHER_CLOSED",
      "PIO_PUBLISHER_CLOSED",
    ]);
    expect(native.closed).toEqual([topic, "client"]);
    await expect(transport.open(topic, defaultPublisherOptions, never)).rejects.toMatchObject({
      code: "PIO_PUBLISHER_CLOSED",
    });
  });

  it.each([
    ["ProducerBusy", "PIO_PRODUCER_BUSY"],
    ["ServiceUnitNotReady", "PIO_BROKER_REFUSED"],
    ["ConnectError", "PIO_PULSAR_UNREACHABLE"],
    ["TimeOut", "PIO_PULSAR_TIMEOUT"],
  ])("tries %s again while a producer is opened, and says so once", async (result, code) => {
    const clock = new TestClock();
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    native.refuseProducers = [result, result, result];
    const transport = await create(native, {}, { clock, logger });
    const opening = transport.open(topic, defaultPublisherOptions, never);
    for (let turn = 0; turn < 50; turn += 1) await clock.advance(100);
    await opening;
    expect(native.producers).toHaveLength(4);
    expect(logger.lines.filter((line) => line.level === "warn")).toMatchObject([
      { fields: { err: { code } } },
    ]);
  });

  it.each([
    ["AuthenticationError", "PIO_PULSAR_AUTHENTICATION"],
    ["AuthorizationError", "PIO_PULSAR_AUTHORIZATION"],
    ["TopicNotFound", "PIO_TOPIC_NOT_FOUND"],
    ["InvalidTopicName", "PIO_INVALID_TOPIC_NAME"],
    ["IncompatibleSchema", "PIO_BROKER_REFUSED"],
    ["ResultProducerFenced", "PIO_PRODUCER_FENCED"],
    ["ErrorGettingAuthenticationData", "PIO_INVALID_AUTHENTICATION"],
    ["SomethingNew", "PIO_PUBLISH_DEFECT"],
  ])("gives up at once on %s, with a remedy", async (result, code) => {
    const native = new FakePulsarClient();
    native.refuseProducers = [result];
    await expect(open(native)).rejects.toMatchObject({
      code,
      remedy: expect.any(String),
      message: expect.stringContaining(topic),
    });
    expect(native.producers).toHaveLength(1);
  });

  it("closes a producer that comes after nobody waits for it any more", async () => {
    const native = new FakePulsarClient();
    let release = () => {};
    native.held = new Promise((resolve) => {
      release = resolve;
    });
    const transport = await create(native);
    const stop = new AbortController();
    const opening = transport.open(topic, defaultPublisherOptions, stop.signal);
    stop.abort(new Error("told to stop"));
    await expect(opening).rejects.toThrow("told to stop");
    release();
    await settled();
    expect(native.closed).toEqual([topic]);
  });

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
    await create(native, { authPlugin, authParams });
    expect(native.authentications).toEqual(expected);
    expect(native.clients[0]?.authentication !== undefined).toBe(expected.length > 0);
  });

  it("reads a token anew whenever the client asks, and never leaves the client waiting for one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "native-token-"));
    const path = join(folder, "token");
    await writeFile(path, "first\n");
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    await create(native, { authPlugin: "token", authParams: `file://${path}` }, { logger });
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
    await expect(create(new FakePulsarClient(), { authPlugin, authParams })).rejects.toMatchObject({
      code,
      remedy: expect.any(String),
    });
  });

  it("brings the client's log to ours: its warnings and errors as warnings, the rest for those who debug", async () => {
    const logger = new RecordingLogger();
    const native = new FakePulsarClient();
    await create(native, {}, { logger });
    for (const level of [1, 2, 3]) native.clients[0]?.log?.(level, "ClientConnection", 485, `line ${level}`);
    expect(logger.lines.map(({ level, fields }) => [level, fields["at"], fields["text"]])).toEqual([
      ["debug", "ClientConnection:485", "line 1"],
      ["warn", "ClientConnection:485", "line 2"],
      ["warn", "ClientConnection:485", "line 3"],
    ]);
  });

  it.each([
    ["the package", "ERR_MODULE_NOT_FOUND", "npm install pulsar-client"],
    ["its library", "MODULE_NOT_FOUND", "npm rebuild pulsar-client"],
    ["a library for this machine", "ERR_DLOPEN_FAILED", "this very kind of machine"],
  ])("tells how to get %s where it is missing, and what does without", async (_, code, remedy) => {
    const load = () => Promise.reject(Object.assign(new Error("cannot load"), { code }));
    const error = await create(new FakePulsarClient(), {}, { load }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "PIO_NATIVE_CLIENT_MISSING",
      remedy: expect.stringContaining(remedy),
    });
    expect(error).toMatchObject({ remedy: expect.stringContaining("--pulsar-transport wire") });
  });
});
