import {
  CreateStreamCommand,
  KinesisClient,
  PutRecordsCommand,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import {
  type Guarantee,
  type SourceContext,
  type SourceRecord,
  silentLogger,
  silentMeter,
  silentTroubles,
  systemClock,
} from "@pulsar-ts-io/core";
import { createRequestHandler } from "@pulsar-ts-io/kinesis-consumer";
import { expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import { KinesisSource, type KinesisSourceOptions } from "../src/index.ts";
import { options } from "./kinesis-config.ts";

describeWithStack("KinesisSource on a real stream", ({ kinesisEndpoint, dynamoEndpoint }) => {
  const payload = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  async function streamWith(count: number): Promise<string> {
    const name = uniqueName("connector");
    const client = new KinesisClient({
      region: "us-east-1",
      endpoint: kinesisEndpoint,
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      requestHandler: createRequestHandler(10_000),
    });
    await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: 1 }));
    await waitUntilStreamExists({ client, maxWaitTime: 30 }, { StreamName: name });
    await put(client, name, count);
    client.destroy();
    return name;
  }

  async function put(client: KinesisClient, name: string, count: number): Promise<void> {
    const Records = Array.from({ length: count }, (_, index) => ({
      Data: payload,
      PartitionKey: `key-${index}`,
    }));
    await client.send(new PutRecordsCommand({ StreamName: name, Records }));
  }

  function config(name: string): KinesisSourceOptions {
    return options({
      awsRegion: "us-east-1",
      awsEndpoint: kinesisEndpoint,
      dynamoEndpoint,
      awsKinesisStreamName: name,
      applicationName: name,
      awsCredentialPluginName: "",
      awsCredentialPluginParam: { accessKey: "any", secretKey: "any" },
      initialPositionInStream: "TRIM_HORIZON",
      useEnhancedFanOut: false,
      pollIdleTime: 200,
      kinesisRecordProperties: "kinesis.partition.key,kinesis.shard.id",
    });
  }

  function contextOf(stop: AbortController, change: Partial<SourceContext> = {}): SourceContext {
    return {
      signal: stop.signal,
      clock: systemClock,
      logger: silentLogger,
      meter: silentMeter,
      troubles: silentTroubles,
      tenant: "public",
      namespace: "default",
      sourceName: "kinesis",
      instanceId: 0,
      numInstances: 1,
      outputTopic: "t",
      guarantee: "ATLEAST_ONCE",
      state: undefined,
      secret: () => undefined,
      recordMetric: () => {},
      releasePartition: () => Promise.resolve(),
      fatal: (error) => stop.abort(error),
      ...change,
    };
  }

  /** Opens a source, reads and acknowledges `count` records, closes it. */
  async function readAndClose(
    name: string,
    count: number,
    change: Partial<SourceContext> = {},
  ): Promise<readonly SourceRecord[]> {
    const stop = new AbortController();
    const source = new KinesisSource();
    const records: SourceRecord[] = [];
    try {
      await source.open(config(name), contextOf(stop, change));
      while (records.length < count) {
        const record = await source.read();
        records.push(record);
        record.ack();
      }
      stop.abort(new Error("enough"));
    } finally {
      await source.close();
    }
    return records;
  }

  it("reads every byte as it was put, and goes on after a clean stop where it stopped", async () => {
    const name = await streamWith(5);
    const first = await readAndClose(name, 3);
    const rest = await readAndClose(name, 2);
    const records = [...first, ...rest];
    expect(records.map(({ key }) => key)).toEqual(["key-0", "key-1", "key-2", "key-3", "key-4"]);
    for (const record of records) {
      expect(Buffer.from(record.value)).toEqual(Buffer.from(payload));
      expect(record.properties).toEqual({
        "kinesis.partition.key": record.key,
        "kinesis.shard.id": "shardId-000000000000",
      });
      expect(Math.abs((record.eventTime ?? 0) - Date.now())).toBeLessThan(60_000);
    }
  });

  it("numbers its records where the host is to publish each of them once, and goes on with the numbers after a stop", async () => {
    const name = await streamWith(5);
    const released: string[] = [];
    const guarantee: Guarantee = "EFFECTIVELY_ONCE";
    const change: Partial<SourceContext> = {
      guarantee,
      releasePartition: async (partitionId) => {
        released.push(partitionId);
      },
    };
    const first = await readAndClose(name, 3, change);
    const rest = await readAndClose(name, 2, change);
    const records = [...first, ...rest];
    expect(records.map((record) => record.recordSequence)).toEqual([0n, 1n, 2n, 3n, 4n]);
    const [partitionId = ""] = new Set(records.map((record) => record.partitionId));
    expect(partitionId).toMatch(new RegExp(`^${name}/shardId-000000000000/[0-9a-f-]{36}$`));
    expect(new Set(records.map((record) => record.partitionId)).size).toBe(1);
    expect(released).toEqual([partitionId, partitionId]);
  });

  it("says which stream does not exist", async () => {
    const stop = new AbortController();
    const source = new KinesisSource();
    await expect(source.open(config(uniqueName("nowhere")), contextOf(stop))).rejects.toMatchObject({
      code: "PIO_STREAM_NOT_FOUND",
    });
    await source.close();
  });
});
