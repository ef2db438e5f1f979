import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/**
 * The yardstick: reads a stream once with the AWS SDK and throws the records away, in a process of its own.
 *
 *   node --import tsx test/bench/sdk-reader.ts <endpoint> <stream>
 *
 * Prints one line of JSON, `{"records":…,"cpuSeconds":…}`: CPU time from the first GetRecords call to the last answer.
 */
const [endpoint = "", streamName = ""] = process.argv.slice(2);
const client = new KinesisClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  requestHandler: new NodeHttpHandler(),
});
/** What the connector's readers ask for when two shards share its queue of 10 000. */
const limit = 5_000;

const { Shards: shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }));
const iterators: (string | undefined)[] = [];
for (const { ShardId } of shards) {
  const answer = await client.send(
    new GetShardIteratorCommand({ StreamName: streamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
  );
  iterators.push(answer.ShardIterator);
}
const before = process.cpuUsage();
const counts = await Promise.all(iterators.map(readToEnd));
const { user, system } = process.cpuUsage(before);
const records = counts.reduce((sum, count) => sum + count, 0);
process.stdout.write(`${JSON.stringify({ records, cpuSeconds: (user + system) / 1e6 })}\n`);
client.destroy();

async function readToEnd(first: string | undefined): Promise<number> {
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
