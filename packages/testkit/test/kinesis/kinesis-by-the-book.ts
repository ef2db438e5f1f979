import { GetRecordsCommand, SplitShardCommand } from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";
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
