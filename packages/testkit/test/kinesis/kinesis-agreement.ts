import { createHash } from "node:crypto";
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type IteratorRequest, KinesisStage, refusalOf, texts } from "./kinesis-stage.ts";

export const maxHashKey: bigint = (1n << 128n) - 1n;

/** What holds for every Kinesis, whoever plays it. Called in a `describe`. */
export function kinesisAgreement(endpoint: () => string): void {
  let stage: KinesisStage;
  beforeAll(() => {
    stage = new KinesisStage(endpoint());
  });
  afterAll(() => stage.client.destroy());

  recordsAgree(() => stage);
  shardsAgree(() => stage);
  refusalsAgree(() => stage);
}

function recordsAgree(use: () => KinesisStage): void {
  it("gives back the bytes, the key and an ever larger sequence number of what was put", async () => {
    const stage = use();
    const StreamName = await stage.createStream(1);
    const Data = Uint8Array.from({ length: 256 }, (_, value) => value);
    const PartitionKey = 'ключ "1"\n🔑';
    const before = Date.now();
    const first = await stage.client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));
    const second = await stage.client.send(
      new PutRecordCommand({ StreamName, PartitionKey, Data: new Uint8Array(0) }),
    );
    const page = await stage.read(StreamName, first.ShardId ?? "", { ShardIteratorType: "TRIM_HORIZON" });
    expect(page.Records?.map((record) => [record.SequenceNumber, record.PartitionKey])).toEqual([
      [first.SequenceNumber, PartitionKey],
      [second.SequenceNumber, PartitionKey],
    ]);
    expect(Buffer.from(page.Records?.[0]?.Data ?? []).equals(Data)).toBe(true);
    expect(page.Records?.[1]?.Data).toHaveLength(0);
    expect(BigInt(second.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(first.SequenceNumber ?? 0));
    expect(first.SequenceNumber).toMatch(/^49\d{54}$/);
    const arrived = page.Records?.[0]?.ApproximateArrivalTimestamp?.getTime() ?? 0;
    expect(arrived).toBeGreaterThanOrEqual(before - 1_000);
    expect(arrived).toBeLessThanOrEqual(Date.now() + 1_000);
    expect([page.MillisBehindLatest, page.NextShardIterator !== undefined]).toEqual([0, true]);
  });

  it("puts a record into the shard that has the hash of its key, in the order of the calls", async () => {
    const stage = use();
    const StreamName = await stage.createStream(4);
    const keys = Array.from({ length: 40 }, (_, place) => `key-${place}`);
    const { Records = [], FailedRecordCount } = await stage.client.send(
      new PutRecordsCommand({
        StreamName,
        Records: keys.map((PartitionKey) => ({ PartitionKey, Data: Buffer.from(PartitionKey) })),
      }),
    );
    expect(FailedRecordCount).toBe(0);
    const listed = await stage.shards({ StreamName });
    const owner = (key: string) => {
      const hash = BigInt(`0x${createHash("md5").update(key).digest("hex")}`);
      return listed.find(
        ({ HashKeyRange: range }) =>
          BigInt(range?.StartingHashKey ?? 0) <= hash && hash <= BigInt(range?.EndingHashKey ?? 0),
      )?.ShardId;
    };
    expect(Records.map((record) => record.ShardId)).toEqual(keys.map(owner));
    for (const { ShardId = "" } of listed) {
      const { texts: found } = await stage.readAll(StreamName, ShardId);
      expect(found).toEqual(keys.filter((key) => owner(key) === ShardId));
    }
  });

  it("places a record by its explicit hash key", async () => {
    const stage = use();
    const StreamName = await stage.createStream(2);
    const place = async (ExplicitHashKey: string) => {
      const input = { StreamName, PartitionKey: "k", ExplicitHashKey, Data: Buffer.from("x") };
      return (await stage.client.send(new PutRecordCommand(input))).ShardId;
    };
    expect(await place("0")).toBe("shardId-000000000000");
    expect(await place(String(maxHashKey))).toBe("shardId-000000000001");
  });

  it("starts where each type of iterator says", async () => {
    const stage = use();
    const StreamName = await stage.createStream(1);
    const [ShardId = ""] = await stage.ids({ StreamName });
    const latest = await stage.iterator(StreamName, ShardId, { ShardIteratorType: "LATEST" });
    const { SequenceNumber: a } = await stage.put(StreamName, "a");
    const { SequenceNumber: b } = await stage.put(StreamName, "b");
    const from = async (ShardIteratorType: IteratorRequest["ShardIteratorType"], more: object = {}) =>
      texts(await stage.read(StreamName, ShardId, { ShardIteratorType, ...more }));
    const sinceLatest = await stage.client.send(new GetRecordsCommand({ ShardIterator: latest }));
    expect(texts(sinceLatest)).toEqual(["a", "b"]);
    expect(await from("TRIM_HORIZON")).toEqual(["a", "b"]);
    expect(await from("LATEST")).toEqual([]);
    expect(await from("AT_SEQUENCE_NUMBER", { StartingSequenceNumber: b })).toEqual(["b"]);
    expect(await from("AFTER_SEQUENCE_NUMBER", { StartingSequenceNumber: b })).toEqual([]);
    expect(await from("AFTER_SEQUENCE_NUMBER", { StartingSequenceNumber: a })).toEqual(["b"]);
    expect(await from("AT_TIMESTAMP", { Timestamp: new Date(Date.now() - 60_000) })).toEqual(["a", "b"]);
  });

  it("starts at the shard's first record for its starting sequence number", async () => {
    const stage = use();
    const StreamName = await stage.createStream(1);
    const [shard] = await stage.shards({ StreamName });
    await stage.put(StreamName, "a");
    const StartingSequenceNumber = shard?.SequenceNumberRange?.StartingSequenceNumber;
    for (const ShardIteratorType of ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] as const) {
      const from = { ShardIteratorType, StartingSequenceNumber };
      expect(texts(await stage.read(StreamName, shard?.ShardId ?? "", from))).toEqual(["a"]);
    }
  });

  it("answers no more than the limit, and says how far behind that is", async () => {
    const stage = use();
    const StreamName = await stage.createStream(1);
    const [ShardId = ""] = await stage.ids({ StreamName });
    for (const text of ["a", "b", "c"]) await stage.put(StreamName, text);
    const page = await stage.read(StreamName, ShardId, { ShardIteratorType: "TRIM_HORIZON" }, 2);
    expect(texts(page)).toEqual(["a", "b"]);
    expect(page.MillisBehindLatest).toBeGreaterThanOrEqual(0);
    const rest = { ShardIterator: page.NextShardIterator, Limit: 2 };
    const next = await stage.client.send(new GetRecordsCommand(rest));
    expect([texts(next), next.MillisBehindLatest]).toEqual([["c"], 0]);
  });
}

function shardsAgree(use: () => KinesisStage): void {
  it("splits a shard into two that share its range, and ends the parent with both as its children", async () => {
    const stage = use();
    const StreamName = await stage.createStream(1);
    const [parent] = await stage.shards({ StreamName });
    await stage.put(StreamName, "before");
    await stage.split(StreamName, parent);
    await stage.put(StreamName, "after");
    const all = await stage.shards({ StreamName });
    const children = all.filter((shard) => shard.ParentShardId === parent?.ShardId);
    expect(children.map((child) => child.AdjacentParentShardId)).toEqual([undefined, undefined]);
    const [low, high] = children.map((child) => child.HashKeyRange);
    expect([low?.StartingHashKey, high?.EndingHashKey]).toEqual(["0", String(maxHashKey)]);
    expect(BigInt(high?.StartingHashKey ?? 0) - BigInt(low?.EndingHashKey ?? 0)).toBe(1n);
    const ending = all.find((shard) => shard.ShardId === parent?.ShardId)?.SequenceNumberRange
      ?.EndingSequenceNumber;
    for (const child of children) {
      const start = BigInt(child.SequenceNumberRange?.StartingSequenceNumber ?? 0);
      expect(start).toBeGreaterThan(BigInt(ending ?? start));
    }
    const read = await stage.readAll(StreamName, parent?.ShardId ?? "");
    expect([read.texts, read.ended]).toEqual([["before"], true]);
    expect(read.children).toEqual(
      children.map(({ ShardId, HashKeyRange }) => ({
        ShardId,
        HashKeyRange,
        ParentShards: [parent?.ShardId],
      })),
    );
  });

  it("merges adjacent shards into one, and ends both with it as their child", async () => {
    const stage = use();
    const StreamName = await stage.createStream(2);
    const [first = "", second = ""] = await stage.ids({ StreamName });
    const merge = { StreamName, ShardToMerge: first, AdjacentShardToMerge: second };
    await stage.client.send(new MergeShardsCommand(merge));
    await stage.active(StreamName);
    const child = (await stage.shards({ StreamName })).find((shard) => shard.ParentShardId !== undefined);
    expect([child?.ParentShardId, child?.AdjacentParentShardId]).toEqual([first, second]);
    expect(child?.HashKeyRange).toEqual({ StartingHashKey: "0", EndingHashKey: String(maxHashKey) });
    for (const parent of [first, second]) {
      const { children } = await stage.readAll(StreamName, parent);
      expect(children.map(({ ShardId }) => ShardId)).toEqual([child?.ShardId]);
      expect([...(children[0]?.ParentShards ?? [])].sort()).toEqual([first, second]);
    }
  });

  it("lists the shards that each filter asks for", async () => {
    const stage = use();
    const StreamName = await stage.createStream(2);
    const [parent] = await stage.shards({ StreamName });
    const beforeSplit = { Timestamp: new Date() };
    await pause();
    await stage.split(StreamName, parent);
    await pause();
    const [a, b, c, d] = [0, 1, 2, 3].map((number) => `shardId-00000000000${number}`);
    expect(await stage.ids({ StreamName })).toEqual([a, b, c, d]);
    expect(await stage.filtered(StreamName, "FROM_TRIM_HORIZON")).toEqual([a, b, c, d]);
    expect(await stage.filtered(StreamName, "AT_LATEST")).toEqual([b, c, d]);
    expect(await stage.filtered(StreamName, "AFTER_SHARD_ID", { ShardId: b })).toEqual([c, d]);
    expect(await stage.filtered(StreamName, "FROM_TIMESTAMP", beforeSplit)).toEqual([a, b, c, d]);
    expect(await stage.filtered(StreamName, "AT_TIMESTAMP", beforeSplit)).toEqual([a, b]);
    expect(await stage.filtered(StreamName, "AT_TIMESTAMP", { Timestamp: new Date() })).toEqual([b, c, d]);
  });

  it("lists shards in pages that leave none out", async () => {
    const stage = use();
    const StreamName = await stage.createStream(5);
    const pages: string[][] = [];
    let NextToken: string | undefined;
    do {
      const input = NextToken === undefined ? { StreamName, MaxResults: 2 } : { NextToken, MaxResults: 2 };
      const page = await stage.client.send(new ListShardsCommand(input));
      pages.push((page.Shards ?? []).map((shard) => shard.ShardId ?? ""));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(await stage.ids({ StreamName }));
    const [, second] = pages.flat();
    expect(await stage.ids({ StreamName, ExclusiveStartShardId: second })).toEqual(pages.flat().slice(2));
  });

  it("describes a stream", async () => {
    const { client } = use();
    const StreamName = await use().createStream(3);
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    expect(summary).toMatchObject({
      StreamName,
      StreamStatus: "ACTIVE",
      OpenShardCount: 3,
      RetentionPeriodHours: 24,
    });
    expect(summary?.StreamARN).toMatch(/^arn:aws:kinesis:us-east-1:\d{12}:stream\//);
    expect(Math.abs((summary?.StreamCreationTimestamp?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
    const { StreamDescription: description } = await client.send(
      new DescribeStreamCommand({ StreamName, Limit: 2 }),
    );
    expect([description?.Shards?.length, description?.HasMoreShards]).toEqual([2, true]);
  });
}

function refusalsAgree(use: () => KinesisStage): void {
  const ShardIteratorType = "LATEST";

  it("refuses what is about a stream that does not exist", async () => {
    const { client } = use();
    const StreamName = "no-such-stream";
    const ShardId = "shardId-000000000000";
    const calls = [
      client.send(new DescribeStreamSummaryCommand({ StreamName })),
      client.send(new ListShardsCommand({ StreamName })),
      client.send(new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType })),
      client.send(new PutRecordCommand({ StreamName, PartitionKey: "k", Data: Buffer.from("x") })),
    ];
    for (const refusal of await Promise.all(calls.map(refusalOf))) {
      expect(refusal).toBe("400 ResourceNotFoundException");
    }
  });

  it("refuses a shard that does not exist", async () => {
    const StreamName = await use().createStream(1);
    const read = use().iterator(StreamName, "shardId-000000000009", { ShardIteratorType });
    expect(await refusalOf(read)).toBe("400 ResourceNotFoundException");
  });

  it("refuses to create a stream twice", async () => {
    const StreamName = await use().createStream(1);
    const again = use().client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
    expect(await refusalOf(again)).toBe("400 ResourceInUseException");
  });

  it("refuses to merge shards that are not adjacent, and to merge or split one that is closed", async () => {
    const stage = use();
    const StreamName = await stage.createStream(3);
    const [first, second, third] = await stage.shards({ StreamName });
    const merge = (ShardToMerge?: string, AdjacentShardToMerge?: string) =>
      refusalOf(
        stage.client.send(new MergeShardsCommand({ StreamName, ShardToMerge, AdjacentShardToMerge })),
      );
    expect(await merge(first?.ShardId, third?.ShardId)).toBe("400 InvalidArgumentException");
    await stage.split(StreamName, first);
    expect(await refusalOf(stage.split(StreamName, first))).toMatch(
      /^400 (InvalidArgument|ResourceInUse)Exception$/,
    );
    expect(await merge(first?.ShardId, second?.ShardId)).toMatch(
      /^400 (InvalidArgument|ResourceInUse)Exception$/,
    );
  });
}

/** kinesis-local dates a shard to the second: what shall be before it must be of an earlier one. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1_100);
  });
}
