import { GetRecordsCommand, ListStreamConsumersCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FanOutReader } from "./fan-out-reader.ts";
import { maxHashKey } from "./kinesis-agreement.ts";
import { KinesisStage, refusalOf } from "./kinesis-stage.ts";

/** What AWS documents and the double does, and kinesis-local does not: each test says what that does instead. */
export function kinesisByTheBook(endpoint: () => string): void {
  let stage: KinesisStage;
  beforeAll(() => {
    stage = new KinesisStage(endpoint());
  });
  afterAll(() => stage.client.destroy());

  // kinesis-local: every shard, also those that were opened later.
  it("lists at the trim horizon what was open then", async () => {
    const StreamName = await stage.createStream(2);
    const [parent] = await stage.shards({ StreamName });
    await stage.split(StreamName, parent);
    const first = ["shardId-000000000000", "shardId-000000000001"];
    expect(await stage.filtered(StreamName, "AT_TRIM_HORIZON")).toEqual(first);
  });

  // kinesis-local: status 500 without a name.
  it("refuses an iterator that is none", async () => {
    const read = stage.client.send(new GetRecordsCommand({ ShardIterator: "bm90IGFuIGl0ZXJhdG9y" }));
    expect(await refusalOf(read)).toBe("400 InvalidArgumentException");
  });

  // kinesis-local: no answer, ever.
  it("refuses a subscription to a shard that does not exist", async () => {
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const reader = new FanOutReader(stage.client);
    const ConsumerARN = await reader.register(StreamARN, "app");
    const StartingPosition = { Type: "LATEST" } as const;
    const subscription = reader.subscribe({ ConsumerARN, ShardId: "shardId-000000000009", StartingPosition });
    expect(await refusalOf(subscription)).toBe("400 ResourceNotFoundException");
  });

  // kinesis-local: takes the number as it is, and starts at the first record.
  it("refuses a sequence number of another shard, and a type that lacks what it needs", async () => {
    const StreamName = await stage.createStream(1);
    const [ShardId = ""] = await stage.ids({ StreamName });
    const { SequenceNumber } = await stage.put(await stage.createStream(1), "elsewhere");
    const ShardIteratorType = "AT_SEQUENCE_NUMBER";
    for (const StartingSequenceNumber of [SequenceNumber, "12", undefined]) {
      const read = stage.iterator(StreamName, ShardId, { ShardIteratorType, StartingSequenceNumber });
      expect(await refusalOf(read)).toBe("400 InvalidArgumentException");
    }
  });

  // kinesis-local: begins again with the first page.
  it("lists consumers in pages that leave none out", async () => {
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const reader = new FanOutReader(stage.client);
    for (const name of ["a", "b", "c"]) await reader.register(StreamARN, name);
    const list = async (NextToken?: string) =>
      await stage.client.send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 2, NextToken }));
    const first = await list();
    const second = await list(first.NextToken);
    const names = [first, second].map((page) => page.Consumers?.map(({ ConsumerName }) => ConsumerName));
    expect([...names, second.NextToken]).toEqual([["a", "b"], ["c"], undefined]);
  });

  // kinesis-local: the subscription to a closed shard never ends, and no event names the children.
  it("ends the subscription to a shard that was read to its end, with its children", async () => {
    const StreamName = await stage.createStream(1);
    const { StreamARN } = await stage.describe(StreamName);
    const reader = new FanOutReader(stage.client);
    const [parent] = await stage.shards({ StreamName });
    await stage.put(StreamName, "a");
    await using reading = await reader.subscribe({
      ConsumerARN: await reader.register(StreamARN, "app"),
      ShardId: parent?.ShardId,
      StartingPosition: { Type: "TRIM_HORIZON" },
    });
    expect(await reading.texts(1)).toEqual(["a"]);
    await stage.split(StreamName, parent);
    expect(await reading.texts(2)).toEqual(["a"]);
    expect(reading.ended).toBe(true);
    expect(reading.last?.ContinuationSequenceNumber ?? undefined).toBeUndefined();
    expect(reading.last?.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
      ["shardId-000000000001", [parent?.ShardId]],
      ["shardId-000000000002", [parent?.ShardId]],
    ]);
  });

  // kinesis-local: splits there.
  it("refuses to split at the edge of a range", async () => {
    const StreamName = await stage.createStream(1);
    const ShardToSplit = "shardId-000000000000";
    for (const NewStartingHashKey of ["0", "1", String(maxHashKey)]) {
      const split = stage.client.send(
        new SplitShardCommand({ StreamName, ShardToSplit, NewStartingHashKey }),
      );
      expect(await refusalOf(split)).toBe("400 InvalidArgumentException");
    }
  });
}
