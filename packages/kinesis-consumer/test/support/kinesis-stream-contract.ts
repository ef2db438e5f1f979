import { describe, expect, it } from "vitest";
import { isPartition } from "../../src/shard/hash-coverage.ts";
import type { KinesisStream, RecordPage } from "../../src/shard/kinesis-stream.ts";
import type { Shard, ShardId } from "../../src/shard/shard.ts";

const signal = new AbortController().signal;

/** A new stream of two shards, and what a test does to it besides reading. */
export interface StreamUnderTest {
  readonly stream: KinesisStream;
  /** Puts one record into the first shard. */
  put(data: Buffer): Promise<void>;
  /** Splits the first shard in the middle, and waits until that is done. */
  split(first: Shard): Promise<void>;
}

/** What every Kinesis does that the consumer relies on. */
export function kinesisStreamContract(
  make: () => Promise<StreamUnderTest>,
  missing: () => KinesisStream,
): void {
  describe("the stream", () => {
    it("lists shards that cover the hash keys, and says when it was created", async () => {
      const { stream } = await make();
      const shards = await stream.listShards(undefined, signal);
      expect(isPartition(shards.map((shard) => shard.hashKeyRange))).toBe(true);
      expect(shards.every((shard) => shard.open && shard.parentShardIds.length === 0)).toBe(true);
      expect(await stream.createdMs(signal)).toBeGreaterThan(0);
      expect(stream.serviceTimeMs()).toBeGreaterThan(0);
    });

    it.each(["latest", "trim-horizon", "at-timestamp"] as const)(
      "lists what matters from %s on",
      async (kind) => {
        const { stream } = await make();
        // Not earlier: of a time before the stream was created nothing is listed.
        const from = kind === "at-timestamp" ? { kind, epochMs: Date.now() } : { kind };
        const shards = await stream.listShards(from, signal);
        expect(isPartition(shards.map((shard) => shard.hashKeyRange))).toBe(true);
      },
    );

    it("gives records back byte for byte, in order, from each kind of position", async () => {
      const { stream, put } = await make();
      const data = [Buffer.from([0, 255, 128]), Buffer.alloc(1_000, 7), Buffer.from("last")];
      for (const one of data) await put(one);
      const { shardId } = await firstShard(stream);
      const all = await readAll(stream, shardId, { kind: "trim-horizon" });
      expect(all.map((record) => Buffer.from(record.Data ?? []))).toEqual(data);
      const second = all[1]?.SequenceNumber ?? "";
      const at = await readAll(stream, shardId, { kind: "at-sequence", sequenceNumber: second });
      expect(at.map((record) => record.SequenceNumber)).toEqual(
        all.slice(1).map((record) => record.SequenceNumber),
      );
      const after = await readAll(stream, shardId, { kind: "after-sequence", sequenceNumber: second });
      expect(after).toHaveLength(1);
      const epochMs = all[0]?.ApproximateArrivalTimestamp?.getTime() ?? 0;
      expect(await readAll(stream, shardId, { kind: "at-timestamp", epochMs })).toHaveLength(3);
    });

    it("ends a split shard with its children, and lists them with their parent", async () => {
      const { stream, put, split } = await make();
      await put(Buffer.from("before"));
      const first = await firstShard(stream);
      await split(first);
      const pages: RecordPage[] = [];
      let iterator: string | undefined = await stream.openIterator(
        first.shardId,
        { kind: "trim-horizon" },
        signal,
      );
      for (let call = 0; iterator !== undefined && call < 50; call += 1) {
        const page: RecordPage = await stream.getRecords(first.shardId, iterator, 10, signal);
        pages.push(page);
        iterator = page.next;
      }
      const children = pages.at(-1)?.children ?? [];
      expect(children).toHaveLength(2);
      expect(children.every((child) => child.parentShardIds.includes(first.shardId))).toBe(true);
      const listed = await stream.listShards(undefined, signal);
      expect(listed.find((shard) => shard.shardId === first.shardId)?.open).toBe(false);
      for (const child of children) {
        const shard = listed.find((one) => one.shardId === child.shardId);
        expect(shard).toMatchObject({ parentShardIds: [first.shardId], hashKeyRange: child.hashKeyRange });
      }
    });

    it("says what is missing", async () => {
      await expect(missing().listShards(undefined, signal)).rejects.toMatchObject({
        code: "PIO_STREAM_NOT_FOUND",
      });
    });
  });
}

async function firstShard(stream: KinesisStream): Promise<Shard> {
  const shards = await stream.listShards(undefined, signal);
  const first = shards.find((shard) => shard.hashKeyRange.start === 0n);
  if (first === undefined) throw new Error("no shard");
  return first;
}

async function readAll(
  stream: KinesisStream,
  id: ShardId,
  position: Parameters<KinesisStream["openIterator"]>[1],
): Promise<RecordPage["records"]> {
  const records: RecordPage["records"][number][] = [];
  let iterator: string | undefined = await stream.openIterator(id, position, signal);
  for (let call = 0; iterator !== undefined && call < 10; call += 1) {
    const page: RecordPage = await stream.getRecords(id, iterator, 100, signal);
    records.push(...page.records);
    iterator = page.next;
  }
  return records;
}
