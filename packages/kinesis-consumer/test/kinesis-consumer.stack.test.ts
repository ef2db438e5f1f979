import { randomBytes } from "node:crypto";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterAll, describe, expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import {
  type AwsClients,
  type ConsumerOptions,
  createAwsClients,
  KinesisConsumer,
  type KinesisRecord,
} from "../src/index.ts";
import { AwsKinesisStream } from "../src/shard/aws-kinesis-stream.ts";
import { shardId } from "../src/shard/shard.ts";
import { kinesisStreamContract } from "./support/kinesis-stream-contract.ts";
import { startDynalite } from "./support/start-dynalite.ts";
import { unstopped } from "./support/unstopped.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };

describeWithStack("on kinesis-local", ({ kinesisEndpoint, dynamoEndpoint }) => {
  const clients = createAwsClients({ region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials });
  afterAll(() => clients.destroy());

  describe("AwsKinesisStream", () => {
    kinesisStreamContract(
      async () => {
        const streamName = await createStream(clients, 2);
        return {
          stream: new AwsKinesisStream(clients.kinesis, streamName, systemClock),
          put: (data) => put(clients, streamName, [data], "0"),
          split: async (first) => {
            const NewStartingHashKey = String(first.hashKeyRange.end / 2n);
            await clients.kinesis.call(
              new SplitShardCommand({
                StreamName: streamName,
                ShardToSplit: first.shardId,
                NewStartingHashKey,
              }),
              unstopped,
            );
            await untilActive(clients, streamName);
          },
        };
      },
      () => new AwsKinesisStream(clients.kinesis, uniqueName("missing"), systemClock),
    );
  });

  it("gives the same records in CBOR and in JSON", async () => {
    const refusals: string[] = [];
    const inOne = { region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials } as const;
    using cbor = createAwsClients({ ...inOne, cbor: true, onCborRefused: (answer) => refusals.push(answer) });
    using json = createAwsClients({ ...inOne, cbor: false });
    const streamName = await createStream(clients, 1);
    const payloads = [0, 1, 2, 3, 16_384, 200_000].map((length) => randomBytes(length));
    await put(clients, streamName, payloads, "0");
    const pages = [cbor, json].map(async ({ kinesis }) => {
      const stream = new AwsKinesisStream(kinesis, streamName, systemClock);
      const id = shardId("shardId-000000000000");
      const iterator = await stream.openIterator(id, { kind: "trim-horizon" }, unstopped);
      return (await stream.getRecords(id, iterator, 10_000, unstopped)).records;
    });
    const [inCbor, inJson] = await Promise.all(pages);
    expect(inCbor).toEqual(inJson);
    expect(inCbor?.map(({ Data }) => Buffer.from(Data ?? []))).toEqual(payloads);
    expect(refusals).toEqual([]);
  });

  describe("KinesisConsumer", () => {
    it("reads, checkpoints, survives a split, and starts again within 2 s repeating nothing", async () => {
      const streamName = await createStream(clients, 2);
      const payloads = Array.from({ length: 200 }, (_, index) => Buffer.from([index, 255 - index, 0, 128]));
      await put(clients, streamName, payloads.slice(0, 100));
      const first = await run(clients, streamName, 100);
      expect(textsOf(first.records)).toEqual(textsOf(payloads.slice(0, 100)));
      await clients.kinesis.call(
        new SplitShardCommand({
          StreamName: streamName,
          ShardToSplit: "shardId-000000000000",
          NewStartingHashKey: "1000",
        }),
        unstopped,
      );
      await untilActive(clients, streamName);
      await put(clients, streamName, payloads.slice(100));
      const second = await run(clients, streamName, 100);
      expect(textsOf(second.records)).toEqual(textsOf(payloads.slice(100)));
      expect(second.firstAfterMs).toBeLessThan(2_000);
    });

    it("reads by enhanced fan-out, and starts again with the consumer that is there, repeating nothing", async () => {
      const streamName = await createStream(clients, 2);
      const fanOut = { kind: "fan-out", consumerName: `${streamName}-app` } as const;
      const payloads = Array.from({ length: 300 }, (_, index) => Buffer.from([index % 256, index >> 8, 128]));
      const parts = [payloads.slice(0, 100), payloads.slice(100, 200), payloads.slice(200)];
      for (const part of parts) {
        await put(clients, streamName, part);
        const { records } = await run(clients, streamName, part.length, fanOut);
        expect(textsOf(records)).toEqual(textsOf(part));
      }
    });

    it("unpacks an aggregate of a foreign aggregator, and goes on after it", async () => {
      const streamName = await createStream(clients, 1);
      const packed = Buffer.from(packedByNpm, "base64");
      await put(clients, streamName, [Buffer.from("before"), packed, Buffer.from("behind")]);
      const first = await run(clients, streamName, 4);
      const keys = first.records.map(({ partitionKey, subSequenceNumber }) => [
        partitionKey,
        subSequenceNumber,
      ]);
      expect(keys).toEqual([
        ["key-0", 0],
        ["a", 0],
        ["b", 1],
        ["ключ-鍵-🔑", 2],
      ]);
      expect(new Set(first.records.slice(1).map(({ sequenceNumber }) => sequenceNumber)).size).toBe(1);
      const second = await run(clients, streamName, 1);
      expect(textsOf(second.records)).toEqual(textsOf([Buffer.from("behind")]));
    });

    it("works the same on dynalite, which the demo uses", async () => {
      await using server = await startDynalite();
      using demo = createAwsClients({
        region: "us-east-1",
        kinesisEndpoint,
        dynamoEndpoint: server.endpoint,
        credentials,
      });
      const streamName = await createStream(demo, 3);
      const payloads = Array.from({ length: 60 }, (_, index) => Buffer.from(`record ${index}`));
      await put(demo, streamName, payloads.slice(0, 30));
      expect(textsOf((await run(demo, streamName, 30)).records)).toEqual(textsOf(payloads.slice(0, 30)));
      await put(demo, streamName, payloads.slice(30));
      expect(textsOf((await run(demo, streamName, 30)).records)).toEqual(textsOf(payloads.slice(30)));
    });
  });
});

/** Reads and acknowledges `count` records, then stops cleanly. */
async function run(
  clients: AwsClients,
  streamName: string,
  count: number,
  retrieval: ConsumerOptions["retrieval"] = { kind: "polling", idleMs: 200 },
) {
  const started = performance.now();
  const host = {
    clock: systemClock,
    logger: new RecordingLogger(),
    meter: silentMeter,
    troubles: silentTroubles,
    releasePartition: () => Promise.resolve(),
  };
  await using consumer = new KinesisConsumer(clients, host, {
    streamName,
    applicationName: `${streamName}-app`,
    instanceId: "0",
    initialPosition: { kind: "trim-horizon" },
    retrieval,
    aggregates: { kind: "split", filterByHashKey: true },
    checkpointIntervalMs: 60_000,
    backoffMs: 3_000,
    checkpointAttempts: 3,
    maxBufferedRecords: 1_000,
    maxBufferedBytes: 32 * 1_024 * 1_024,
  });
  const stop = new AbortController();
  await consumer.open(stop.signal);
  const records: KinesisRecord[] = [];
  let firstAfterMs = 0;
  while (records.length < count) {
    const record = await consumer.read(stop.signal);
    if (records.length === 0) firstAfterMs = performance.now() - started;
    records.push(record);
    record.ack();
  }
  stop.abort(new Error("enough"));
  return { records, firstAfterMs };
}

function textsOf(records: readonly (KinesisRecord | Buffer)[]): readonly string[] {
  const bytes = records.map((record) => ("data" in record ? record.data : record));
  return bytes.map((one) => Buffer.from(one).toString("hex")).sort();
}

async function createStream(clients: AwsClients, shardCount: number): Promise<string> {
  const streamName = uniqueName("orders");
  await clients.kinesis.call(
    new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }),
    unstopped,
  );
  await untilActive(clients, streamName);
  return streamName;
}

async function untilActive(clients: AwsClients, streamName: string): Promise<void> {
  for (;;) {
    const command = new DescribeStreamSummaryCommand({ StreamName: streamName });
    const { StreamDescriptionSummary } = await clients.kinesis.call(command, unstopped);
    if (StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
    await systemClock.sleep(50, new AbortController().signal);
  }
}

async function put(
  clients: AwsClients,
  streamName: string,
  payloads: readonly Buffer[],
  hashKey?: string,
): Promise<void> {
  const Records = payloads.map((Data, index) => ({
    Data,
    PartitionKey: `key-${index}`,
    ...(hashKey === undefined ? {} : { ExplicitHashKey: hashKey }),
  }));
  await clients.kinesis.call(new PutRecordsCommand({ StreamName: streamName, Records }), unstopped);
}

/** "three records placed by their partition keys" of `golden/kpl-aggregates.jsonl`. */
const packedByNpm =
  "84mawgoBYQoBYgoR0LrQu9GO0Yct6Y21LfCflJEaBwgAGgNvbmUaBwgBGgN0d28aBggCGgIA//pqh9phmx3yNNgfUm4HMEg=";
