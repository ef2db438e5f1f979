import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KinesisModel, type Shard, type Stream, TestClock } from "../../src/index.ts";
import { filterShards } from "../../src/kinesis/list-shards.ts";

const maxHashKey = (1n << 128n) - 1n;

/** A change of a stream's shards, or of time, aimed at one of the open shards. */
const change = fc.record({
  kind: fc.constantFrom("split", "merge", "put", "wait"),
  aim: fc.nat({ max: 1_000 }),
  /** Where to split, in thousandths of the range. */
  at: fc.integer({ min: 1, max: 999 }),
});

interface Change {
  readonly kind: string;
  readonly aim: number;
  readonly at: number;
}

function openShards(stream: Stream, nowMs: number): readonly Shard[] {
  const open = stream.shards(nowMs).filter((shard) => shard.open);
  return [...open].sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
}

async function apply(stream: Stream, clock: TestClock, { kind, aim, at }: Change): Promise<void> {
  const open = openShards(stream, clock.now());
  const [shard, next] = [open[aim % open.length], open[(aim % open.length) + 1]];
  if (shard === undefined) throw new Error("no open shard");
  const middle = shard.range.start + ((shard.range.end - shard.range.start) * BigInt(at)) / 1_000n;
  if (kind === "split" && middle > shard.range.start + 1n) stream.split(shard.id, middle, clock.now());
  if (kind === "merge" && next !== undefined) stream.merge(next.id, shard.id, clock.now());
  if (kind === "put") stream.put({ partitionKey: String(aim), data: "", dataBytes: 0 }, clock.now());
  if (kind === "wait") await clock.advance(at * 10);
}

describe("Stream", () => {
  it("covers every hash key with exactly one open shard, now and at every past instant, whatever is split and merged", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(change, { maxLength: 30 }),
        async (shards, changes) => {
          const clock = new TestClock();
          const stream = new KinesisModel({ clock }).createStream("s", shards);
          const instants = [clock.now()];
          for (const one of changes) {
            await apply(stream, clock, one);
            instants.push(clock.now());
            expectCover(openShards(stream, clock.now()));
          }
          for (const timestampMs of instants) {
            expectCover(filterShards(stream, { type: "AT_TIMESTAMP", timestampMs }, clock.now()));
          }
          expectCover(filterShards(stream, { type: "AT_LATEST" }, clock.now()));
          expectCover(filterShards(stream, { type: "AT_TRIM_HORIZON" }, clock.now()));
        },
      ),
    );
  });

  it("lists nothing at a time before it was created, as AWS does, and everything from then on", () => {
    const clock = new TestClock();
    const stream = new KinesisModel({ clock }).createStream("s", 2);
    const timestampMs = clock.now() - 1;
    expect(filterShards(stream, { type: "AT_TIMESTAMP", timestampMs }, clock.now())).toEqual([]);
    expect(filterShards(stream, { type: "FROM_TIMESTAMP", timestampMs }, clock.now())).toHaveLength(2);
  });

  it("hands out strictly growing sequence numbers along every line of descent, within one instant too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 40 }), async (changes) => {
        const clock = new TestClock();
        const stream = new KinesisModel({ clock }).createStream("s", 2);
        const last = new Map<string, bigint>();
        for (const one of changes) {
          if (one.kind !== "put") {
            await apply(stream, clock, one);
            continue;
          }
          const { shard, sequenceNumber } = stream.put(
            { partitionKey: String(one.aim), data: "", dataBytes: 0 },
            clock.now(),
          );
          for (const ancestor of [shard, ...ancestors(stream, shard, clock.now())]) {
            const before =
              ancestor.endingSequenceNumber ?? last.get(ancestor.id) ?? ancestor.startingSequenceNumber;
            expect(sequenceNumber > before).toBe(true);
          }
          last.set(shard.id, sequenceNumber);
        }
      }),
    );
  });

  it("forgets records after the retention period, and a closed shard when the last of it has passed", async () => {
    const clock = new TestClock();
    const stream = new KinesisModel({ clock }).createStream("s", 1);
    const hour = 3_600_000;
    const put = () => stream.put({ partitionKey: "k", data: "", dataBytes: 0 }, clock.now());
    put();
    await clock.advance(hour);
    put();
    await clock.advance(23 * hour + 1);
    const parent = stream.shard("shardId-000000000000", clock.now());
    expect([parent.log.start, parent.log.end]).toEqual([1, 2]);
    stream.split(parent.id, 1n << 127n, clock.now());
    await clock.advance(24 * hour);
    expect(stream.shards(clock.now())).toHaveLength(3);
    await clock.advance(1);
    expect(stream.shards(clock.now()).map((shard) => shard.id)).toEqual([
      "shardId-000000000001",
      "shardId-000000000002",
    ]);
    expect(() => stream.shard(parent.id, clock.now())).toThrow("does not exist");
  });

  it("is busy for a while after each change, where the model says so", async () => {
    const clock = new TestClock();
    const stream = new KinesisModel({ clock, transitionMs: 500 }).createStream("s", 1);
    expect(stream.status(clock.now())).toBe("CREATING");
    await clock.advance(500);
    expect(stream.status(clock.now())).toBe("ACTIVE");
    stream.split("shardId-000000000000", 1n << 127n, clock.now());
    expect(stream.status(clock.now())).toBe("UPDATING");
  });
});

function expectCover(shards: readonly Shard[]): void {
  const sorted = [...shards].sort((a, b) => (a.range.start < b.range.start ? -1 : 1));
  let next = 0n;
  for (const { range } of sorted) {
    expect(range.start).toBe(next);
    next = range.end + 1n;
  }
  expect(next).toBe(maxHashKey + 1n);
}

function ancestors(stream: Stream, shard: Shard, nowMs: number): readonly Shard[] {
  const parents = shard.parentIds.map((id) => stream.shard(id, nowMs));
  return parents.flatMap((parent) => [parent, ...ancestors(stream, parent, nowMs)]);
}
