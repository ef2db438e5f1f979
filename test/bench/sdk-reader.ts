import {
  DeregisterStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/**
 * The yardstick: reads a stream once with the AWS SDK and throws the records away, in a process of its own.
 *
 *   node --import tsx test/bench/sdk-reader.ts <endpoint> <stream> polling|fan-out
 *
 * Prints one line of JSON, `{"records":…,"cpuSeconds":…}`: CPU time from the first call for records to the last answer.
 */
const [endpoint = "", streamName = "", reading = "polling"] = process.argv.slice(2);
const fanOut = reading === "fan-out";
const client = new KinesisClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  // The SDK's own choice, HTTP/2, is what subscriptions are made for.
  ...(fanOut ? {} : { requestHandler: new NodeHttpHandler() }),
});
/** What the connector's readers ask for when two shards share its queue of 10 000. */
const limit = 5_000;

const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
const shardIds = Shards.map(({ ShardId }) => ShardId);
const { records, cpuSeconds } = fanOut ? await subscribeToAll() : await pollAll();
process.stdout.write(`${JSON.stringify({ records, cpuSeconds })}\n`);
client.destroy();

async function pollAll() {
  const iterators: (string | undefined)[] = [];
  for (const ShardId of shardIds) {
    const answer = await client.send(
      new GetShardIteratorCommand({ StreamName: streamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
    );
    iterators.push(answer.ShardIterator);
  }
  return await measured(iterators, pollToEnd);
}

async function subscribeToAll() {
  const { StreamDescriptionSummary: stream } = await client.send(
    new DescribeStreamSummaryCommand({ StreamName: streamName }),
  );
  const consumer = { StreamARN: stream?.StreamARN, ConsumerName: "yardstick" };
  const { Consumer } = await client.send(new RegisterStreamConsumerCommand(consumer));
  try {
    return await measured(shardIds, (ShardId) => readSubscription(Consumer?.ConsumerARN, ShardId));
  } finally {
    await client.send(new DeregisterStreamConsumerCommand(consumer));
  }
}

async function measured<T>(shards: readonly T[], read: (shard: T) => Promise<number>) {
  const before = process.cpuUsage();
  const counts = await Promise.all(shards.map(read));
  const { user, system } = process.cpuUsage(before);
  return { records: counts.reduce((sum, count) => sum + count, 0), cpuSeconds: (user + system) / 1e6 };
}

async function pollToEnd(first: string | undefined): Promise<number> {
  let count = 0;
  for (let iterator = first; iterator !== undefined; ) {
    const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: limit }));
    const { length } = page.Records ?? [];
    if (length === 0) break;
    count += length;
    iterator = page.NextShardIterator;
  }
  return count;
}

async function readSubscription(
  ConsumerARN: string | undefined,
  ShardId: string | undefined,
): Promise<number> {
  const { EventStream = [] } = await client.send(
    new SubscribeToShardCommand({ ConsumerARN, ShardId, StartingPosition: { Type: "TRIM_HORIZON" } }),
  );
  let count = 0;
  for await (const { SubscribeToShardEvent: event } of EventStream) {
    const { length } = event?.Records ?? [];
    count += length;
    if (event?.MillisBehindLatest === 0 && count > 0) break;
  }
  return count;
}
