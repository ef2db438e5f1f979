import { silentTroubles } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { pollShard } from "../../src/fetch/polling.ts";
import { ReadBudget } from "../../src/fetch/read-budget.ts";
import type { RecordPage } from "../../src/shard/kinesis-stream.ts";
import { ReaderHealth } from "../../src/shard/reader-health.ts";
import { idOf } from "../support/rig.ts";

const never = () => Promise.reject(new Error("not asked in this test"));

describe("a poller while renewals are late", () => {
  it("makes its first call at once, and waits up to 1 s before each call for a shard with nothing left", async () => {
    expect(await callsOf({ records: [], next: "0", millisBehindLatest: 0, children: [] })).toEqual([
      0, 2_000, 4_000, 6_000,
    ]);
  });

  it("does not wait for a shard that is behind", async () => {
    const calls = await callsOf({ records: [], next: "0", millisBehindLatest: 5_000, children: [] });
    expect(calls.length).toBeGreaterThan(20);
  });
});

/** When GetRecords is called in 7 s in which a caller that stands back waits as long as it may, milliseconds. */
async function callsOf(page: RecordPage): Promise<readonly number[]> {
  const clock = new TestClock();
  const stop = new AbortController();
  const calls: number[] = [];
  const stream = {
    serviceTimeMs: () => clock.now(),
    listShards: never,
    createdMs: never,
    openIterator: () => Promise.resolve("0"),
    getRecords: () => {
      calls.push(clock.monotonic());
      return Promise.resolve({ ...page, records: [] });
    },
  };
  const options = {
    clock,
    budget: new ReadBudget({ maxRecords: 1_000, maxBytes: 1_048_576 }),
    outage: silentTroubles.of("reading"),
    meter: { throttled: () => {}, iteratorExpired: () => {} },
    signs: new ReaderHealth(0),
    idleMs: 1_000,
    backoffMs: 3_000,
    random: () => 0.5,
    standBack: (signal: AbortSignal, longestMs: number) => clock.sleep(longestMs, signal),
    signal: stop.signal,
  };
  const cursor = { position: { kind: "trim-horizon" } } as const;
  const reading = pollShard(stream, { id: idOf(0), cursor }, options)
    .next()
    .catch(() => {});
  await clock.advance(7_000);
  stop.abort(new Error("the test is over"));
  await reading;
  return calls;
}
