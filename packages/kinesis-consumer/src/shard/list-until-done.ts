import type { Clock, Outage } from "@pulsar-ts-io/core";
import { retryUntilDone } from "../retry.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import type { Shard } from "./shard.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/**
 * Lists all shards, and tries again what may heal until it does.
 *
 * A failure is reported as one of Kinesis. Its callers report theirs as failures of the lease table, which most of their calls go to.
 */
export async function listUntilDone(
  stream: KinesisStream,
  options: {
    readonly clock: Clock;
    readonly listing: Outage;
    /** Which caller lists. */
    readonly key: string;
    readonly signal: AbortSignal;
    readonly signs?: WaitingSigns;
  },
): Promise<readonly Shard[]> {
  const { listing, ...rest } = options;
  return await retryUntilDone({ ...rest, outage: listing }, () => stream.listShards(undefined, rest.signal));
}
