import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandOutput,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { describe, expect, it } from "vitest";
import { InProcessHandler, KinesisModel, KinesisService, TestClock } from "../../src/index.ts";
import { texts } from "./kinesis-stage.ts";

const StreamName = "wide";
const shardCount = 1_200;

describe("a stream of the double with 1,200 shards", () => {
  const clock = new TestClock();
  const service = new KinesisService(new KinesisModel({ clock }));
  const stream = service.model.createStream(StreamName, shardCount);
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
    requestHandler: new InProcessHandler(service),
  });

  async function pages(): Promise<readonly (readonly string[])[]> {
    const found: (readonly string[])[] = [];
    let next: string | undefined;
    do {
      const page: ListShardsCommandOutput = await client.send(
        new ListShardsCommand(next === undefined ? { StreamName } : { NextToken: next }),
      );
      found.push((page.Shards ?? []).map((shard) => shard.ShardId ?? ""));
      next = page.NextToken;
    } while (next !== undefined);
    return found;
  }

  it("is listed in pages of a thousand, each shard once", async () => {
    const found = await pages();
    expect(found.map((page) => page.length)).toEqual([1_000, 200]);
    expect(new Set(found.flat()).size).toBe(shardCount);
  });

  it("keeps the records of each apart", async () => {
    for (const { id, range } of stream.shards(clock.now())) {
      const data = Buffer.from(id);
      const entry = { partitionKey: "k", data: data.toString("base64"), dataBytes: data.length };
      stream.put(entry, clock.now(), range.start);
    }
    const everyTwentieth = (await pages()).flat().filter((_id, place) => place % 20 === 0);
    for (const ShardId of everyTwentieth) {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
      );
      expect(texts(await client.send(new GetRecordsCommand({ ShardIterator })))).toEqual([ShardId]);
    }
  });

  it("takes no time to be split everywhere", async () => {
    const open = stream.shards(clock.now()).filter((shard) => shard.open);
    for (const { id, range } of open.slice(0, 100)) {
      const NewStartingHashKey = String((range.start + range.end) / 2n);
      await client.send(new SplitShardCommand({ StreamName, ShardToSplit: id, NewStartingHashKey }));
    }
    expect((await pages()).map((page) => page.length)).toEqual([1_000, 400]);
  });
});
