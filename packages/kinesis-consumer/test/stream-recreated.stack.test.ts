import { CreateStreamCommand, DeleteStreamCommand, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { codeOf, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterAll, expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../test/stack.ts";
import { createAwsClients, KinesisConsumer } from "../src/index.ts";
import { AwsKinesisStream } from "../src/shard/aws-kinesis-stream.ts";
import { usualOptions } from "./support/consumer-options.ts";
import { unstopped } from "./support/unstopped.ts";

const credentials = { accessKeyId: "test", secretAccessKey: "test" };
const signal = new AbortController().signal;

describeWithStack("a stream of kinesis-local that is deleted and created anew", (stack) => {
  const clients = createAwsClients({ region: "us-east-1", credentials, ...stack });
  afterAll(() => clients.destroy());

  it("is refused by default, and read from its beginning where leases may be reset", async () => {
    const streamName = uniqueName("orders");
    await create(streamName, 3);
    await put(streamName, ["a", "b", "c", "d"]);
    expect(await read(streamName, 4)).toEqual(["a", "b", "c", "d"]);
    await recreate(streamName, 2);
    await put(streamName, ["e", "f", "g"]);
    await expect(read(streamName, 1)).rejects.toMatchObject({ code: "PIO_STREAM_RECREATED" });
    expect(await read(streamName, 3, "reset")).toEqual(["e", "f", "g"]);
    await put(streamName, ["h"]);
    expect(await read(streamName, 1)).toEqual(["h"]);
  });

  it("is read on from its beginning by a worker that was reading it", async () => {
    const streamName = uniqueName("orders");
    await create(streamName, 2);
    await put(streamName, ["a", "b"]);
    await using consumer = consumerOf(streamName, "reset");
    await consumer.open(signal);
    expect(await texts(consumer, 2)).toEqual(["a", "b"]);
    await recreate(streamName, 1);
    await put(streamName, ["c", "d", "e"]);
    expect(await texts(consumer, 3)).toEqual(["c", "d", "e"]);
  });

  function consumerOf(streamName: string, onStreamRecreated: "fail" | "reset"): KinesisConsumer {
    const host = {
      clock: systemClock,
      logger: new RecordingLogger(),
      meter: silentMeter,
      troubles: silentTroubles,
      releasePartition: () => Promise.resolve(),
    };
    return new KinesisConsumer(clients, host, {
      ...usualOptions,
      streamName,
      applicationName: `${streamName}-app`,
      retrieval: { kind: "polling", idleMs: 200 },
      onStreamRecreated,
    });
  }

  async function read(
    streamName: string,
    count: number,
    onStreamRecreated: "fail" | "reset" = "fail",
  ): Promise<readonly string[]> {
    await using consumer = consumerOf(streamName, onStreamRecreated);
    await consumer.open(signal);
    return await texts(consumer, count);
  }

  async function create(streamName: string, shardCount: number): Promise<void> {
    await clients.kinesis.call(
      new CreateStreamCommand({ StreamName: streamName, ShardCount: shardCount }),
      unstopped,
    );
    const stream = new AwsKinesisStream(clients.kinesis, streamName, systemClock);
    await eventually(() => stream.listShards(undefined, signal));
  }

  /** Ids, positions and ages of two streams that were created within a second of each other may be the same. */
  async function recreate(streamName: string, shardCount: number): Promise<void> {
    await clients.kinesis.call(new DeleteStreamCommand({ StreamName: streamName }), unstopped);
    await systemClock.sleep(1_100, signal);
    await eventually(() => create(streamName, shardCount));
  }

  async function put(streamName: string, payloads: readonly string[]): Promise<void> {
    const Records = payloads.map((text) => ({ Data: Buffer.from(text), PartitionKey: text }));
    await eventually(() =>
      clients.kinesis.call(new PutRecordsCommand({ StreamName: streamName, Records }), unstopped),
    );
  }
});

async function texts(consumer: KinesisConsumer, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const record = await consumer.read(signal);
    found.push(Buffer.from(record.data).toString());
    record.ack();
  }
  return found.sort();
}

/** Tries again what a stream refuses while it comes or goes. */
async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (tries > 100) throw new Error(`still refused: ${codeOf(error)}`, { cause: error });
      await systemClock.sleep(100, signal);
    }
  }
}
