import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentMeter, systemClock } from "@pulsar-ts-io/core";
import { PulsarAdmin, RecordingLogger, readTopicToEnd } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { describeWithStack, type RunningStack, uniqueName, uniqueTopic } from "../../../test/stack.ts";
import {
  type Compression,
  createNativeTransport,
  defaultPublisherOptions,
  type Transport,
} from "../src/index.ts";
import { idText, numbered, numbersOf, range, sendRange } from "./harness/numbered-messages.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { never } from "./harness/wire.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const tls = { allowInsecure: false, hostnameVerification: true };

function open(serviceUrl: string, logger = new RecordingLogger()): Promise<Transport> {
  return createNativeTransport({ serviceUrl, tls }, { clock: systemClock, logger, meter: silentMeter });
}

/** PEM files of a new pair of keys. */
async function keyPair(): Promise<{ readonly publicPath: string; readonly privatePath: string }> {
  const folder = await mkdtemp(join(tmpdir(), "native-keys-"));
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const publicPath = join(folder, "public.pem");
  const privatePath = join(folder, "private.pem");
  await writeFile(publicPath, publicKey.export({ type: "spki", format: "pem" }));
  await writeFile(privatePath, privateKey.export({ type: "pkcs8", format: "pem" }));
  return { publicPath, privatePath };
}

/** The suite of the real library: where `PULSAR_TS_IO_NATIVE=1` says that it is there, a missing one is a failure. */
function suite({ pulsarServiceUrl: serviceUrl, pulsarAdminUrl }: RunningStack): void {
  const admin = new PulsarAdmin(pulsarAdminUrl);

  it("stores every compression, batched and one by one, as Java's client reads it", async () => {
    const ways = (["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"] satisfies Compression[]).flatMap((compression) =>
      [defaultPublisherOptions.batching, undefined].map((batching) => ({
        topic: uniqueTopic(),
        options: { ...defaultPublisherOptions, compression, batching },
        deliveries: new Deliveries(),
      })),
    );
    const messages = [0, 1, 100, 4_097, 100_000, 1_048_576].map((size, index) => ({
      value: randomBytes(size),
      key: index % 2 === 0 ? `schlüssel-😀-${index}` : undefined,
      properties: { index: String(index), ä: "ö\n=,]" },
      eventTime: 1_700_000_000_000 + index,
    }));
    await using transport = await open(serviceUrl);
    for (const { topic, options, deliveries } of ways) {
      const publisher = await transport.open(topic, options, never);
      for (const message of messages) deliveries.send(publisher, message);
      await publisher.flush(never);
    }
    const topic = ways.map((way) => way.topic);
    const all = await readTopicToEnd({ serviceUrl, topic, count: messages.length * ways.length });
    for (const { topic: own, deliveries } of ways) {
      const read = all.filter((message) => message.topic === own);
      const seen = read.map(({ sha256: hash, key, properties, eventTime }) => ({
        hash,
        key,
        properties,
        eventTime,
      }));
      expect(seen).toEqual(messages.map(({ value, ...rest }) => ({ hash: sha256(value), ...rest })));
      expect(deliveries.stored.map(idText)).toEqual(read.map((message) => message.id));
    }
  });

  it("loses and reorders nothing while the topic is unloaded again and again", async () => {
    const topic = uniqueTopic();
    await using transport = await open(serviceUrl);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    for (const round of range(5)) {
      const sending = sendRange(publisher, deliveries, { from: round * 4_000, to: (round + 1) * 4_000 });
      await admin.unload(topic);
      await sending;
    }
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    const read = await readTopicToEnd({ serviceUrl, topic });
    expect([...new Set(numbersOf(read))]).toEqual(range(20_000));
  });

  it("routes keys, sequence ids and what has neither to the partitions that the wire transport chooses", async () => {
    const topic = uniqueTopic();
    await admin.createPartitionedTopic(topic, 3);
    await using transport = await open(serviceUrl);
    const options = { ...defaultPublisherOptions, producerName: "shard-3" };
    const publisher = await transport.open(topic, options, never);
    const deliveries = new Deliveries();
    const keys = ["a", "key", "key-1", "user-42", "hello world", "日本語", "😀", ""];
    for (const key of keys) deliveries.send(publisher, { value: Buffer.from(key), key });
    for (const id of [3n, 4n, 5n]) deliveries.send(publisher, { value: Buffer.from("no key") }, id);
    await publisher.flush(never);
    expect(deliveries.stored.map((id) => id.partition)).toEqual([2, 2, 1, 0, 2, 1, 1, 0, 0, 1, 2]);
  });

  it("stores everything once when a restarted producer repeats what the broker may have", async () => {
    const namespace = `public/${uniqueName("dedup")}`;
    await admin.createNamespace(namespace);
    await admin.setDeduplication(namespace, true);
    const topic = `persistent://${namespace}/t`;
    const options = { ...defaultPublisherOptions, producerName: "shard-0" };
    const deliveries: Deliveries[] = [];
    for (const [from, to] of [
      [0, 251],
      [201, 301],
    ] as const) {
      const told = new Deliveries();
      deliveries.push(told);
      await using transport = await open(serviceUrl);
      const publisher = await transport.open(topic, options, never);
      for (let index = from; index < to; index += 1) told.send(publisher, numbered(index), BigInt(index));
      await publisher.flush(never);
    }
    const read = await readTopicToEnd({ serviceUrl, topic });
    expect(numbersOf(read)).toEqual(range(301));
    expect(deliveries.map((told) => [told.stored.length, told.failed])).toEqual([
      [251, []],
      [50, []],
    ]);
  });

  it("fails what is too large alone", async () => {
    await using transport = await open(serviceUrl);
    const publisher = await transport.open(uniqueTopic(), defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from("before") });
    deliveries.send(publisher, { value: randomBytes(5 * 1_048_576 + 1) });
    deliveries.send(publisher, { value: Buffer.from("after") });
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
    expect(deliveries.stored).toHaveLength(2);
  });

  it("fails for good when the topic is terminated, and says so to whoever waits for room", async () => {
    const topic = uniqueTopic();
    await using transport = await open(serviceUrl);
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, maxPendingMessages: 1 },
      never,
    );
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    await publisher.flush(never);
    await admin.terminate(topic);
    deliveries.send(publisher, numbered(1));
    await publisher.flush(never);
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_TOPIC_TERMINATED"]);
  });

  it("waits for a producer of the same name to go, and takes its place", async () => {
    const topic = uniqueTopic();
    const options = { ...defaultPublisherOptions, producerName: "shard-7" };
    const logger = new RecordingLogger();
    await using one = await open(serviceUrl);
    await using two = await open(serviceUrl, logger);
    const before = await one.open(topic, options, never);
    const opening = two.open(topic, options, never);
    while (!logger.messages("warn").includes("producer not opened, trying again"))
      await systemClock.sleep(20, never);
    await before.close();
    const publisher = await opening;
    const deliveries = new Deliveries();
    deliveries.send(publisher, numbered(0));
    await publisher.flush(never);
    expect(deliveries.stored).toHaveLength(1);
  });

  it("takes more than its window without blocking this thread", async () => {
    await using transport = await open(serviceUrl);
    const options = { ...defaultPublisherOptions, maxPendingMessages: 10 };
    const publisher = await transport.open(uniqueTopic(), options, never);
    const deliveries = new Deliveries();
    for (const index of range(5_000)) deliveries.send(publisher, numbered(index));
    expect(publisher.full).toBe(true);
    expect(deliveries.settled).toBe(0);
    await publisher.flush(never);
    expect(deliveries.stored).toHaveLength(5_000);
  });

  it.each([undefined, defaultPublisherOptions.batching])(
    "encrypts for whoever has the private key, and for nobody else (batching %j)",
    async (batching) => {
      const topic = uniqueTopic();
      const keys = await keyPair();
      const encryption = { publicKeyPath: keys.publicPath, keyNames: ["ours"], onFailure: "FAIL" } as const;
      const compression = "NONE";
      await using transport = await open(serviceUrl);
      const options = { ...defaultPublisherOptions, compression, batching, encryption } as const;
      const publisher = await transport.open(topic, options, never);
      const deliveries = new Deliveries();
      for (const index of range(20)) deliveries.send(publisher, { value: Buffer.from(`secret ${index}`) });
      await publisher.flush(never);
      expect(deliveries.failed).toEqual([]);
      const { Client } = (await import("pulsar-client")).default;
      const client = new Client({ serviceUrl });
      const from = { topic, subscriptionInitialPosition: "Earliest" } as const;
      const reader = await client.subscribe({
        ...from,
        subscription: "with-key",
        privateKeyPath: keys.privatePath,
      });
      const read: string[] = [];
      for (const _ of range(20)) read.push((await reader.receive(10_000)).getData().toString());
      expect(read).toEqual(range(20).map((index) => `secret ${index}`));
      const thief = await client.subscribe({
        ...from,
        subscription: "without-key",
        cryptoFailureAction: "CONSUME",
      });
      expect((await thief.receive(10_000)).getData().toString("latin1")).not.toContain("secret");
      await client.close();
    },
  );

  it("refuses a namespace that is not there", async () => {
    await using transport = await open(serviceUrl);
    await expect(
      transport.open("persistent://public/no-such-namespace/t", defaultPublisherOptions, never),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^PIO_/), remedy: expect.any(String) });
  });
}

if (process.env["PULSAR_TS_IO_NATIVE"] === "1")
  describeWithStack("the native transport on a real broker", suite);
else {
  describe("the native transport where nobody says that its library is there", () => {
    it("loads it all the same, or tells how to get it", async () => {
      const opened = await open("pulsar://localhost:6650").catch((error: unknown) => error);
      if (opened instanceof Error) {
        expect(opened).toMatchObject({
          code: "PIO_NATIVE_CLIENT_MISSING",
          remedy: expect.stringContaining("--pulsar-transport wire"),
        });
      } else await (opened as Transport).close(); // it is no error
    });
  });
}
