import { Backoff, type Clock, type Outage } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import { retryUntilDone } from "../retry.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import type { HashKeyRange } from "./shard.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** Between two looks for a shard that is not listed. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

/**
 * The hash keys of a leased shard: from its row, and for a row of an old KCL, which has none, from the listing, waited for as long as
 * it takes. KCL takes all hash keys for a shard that is not listed, and so delivers aggregates that it drops elsewhere.
 */
export async function findHashKeyRange(
  lease: Lease,
  stream: KinesisStream,
  options: {
    readonly clock: Clock;
    readonly outage: Outage;
    readonly signs: WaitingSigns;
    readonly signal: AbortSignal;
  },
): Promise<HashKeyRange> {
  if (lease.hashKeyRange !== undefined) return lease.hashKeyRange;
  const key = `hash keys of ${lease.shardId}`;
  const pause = new Backoff({ initialMs: firstPauseMs, maxMs: longestPauseMs });
  for (;;) {
    const shards = await retryUntilDone({ ...options, key }, () =>
      stream.listShards(undefined, options.signal),
    );
    const shard = shards.find(({ shardId }) => shardId === lease.shardId);
    if (shard !== undefined) return shard.hashKeyRange;
    await options.clock.sleep(pause.next(), options.signal);
  }
}
