import type { NewLease } from "../lease/lease.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import { type InitialPosition, planFirstLeases } from "./lease-plan.ts";
import type { Shard } from "./shard.ts";

/**
 * The leases of an empty table, as Kinesis lists the shards now.
 *
 * @throws ShardListingError (`PIO_SHARD_LISTING`) when they do not cover the hash keys once; ask again.
 */
export async function firstLeases(
  stream: KinesisStream,
  initial: InitialPosition,
  signal: AbortSignal,
): Promise<readonly NewLease[]> {
  return planFirstLeases(await listShardsAt(stream, initial.position, signal), initial);
}

/**
 * The shards that were open at a position.
 *
 * Kinesis lists those that were open at the very time: of one before the stream was created none, and of one before the oldest record
 * not those whose records have all expired. What is missing is then read from the oldest record on, as everything else is. KCL fails.
 */
export async function listShardsAt(
  stream: KinesisStream,
  position: InitialPosition["position"],
  signal: AbortSignal,
): Promise<readonly Shard[]> {
  const then = await stream.listShards(position, signal);
  if (position.kind !== "at-timestamp") return then;
  const oldest = await stream.listShards({ kind: "trim-horizon" }, signal);
  const ids = new Set(oldest.map(({ shardId }) => shardId));
  // One that was opened since is not among the oldest: then the time is later than the oldest record.
  return then.length < oldest.length && then.every(({ shardId }) => ids.has(shardId)) ? oldest : then;
}
