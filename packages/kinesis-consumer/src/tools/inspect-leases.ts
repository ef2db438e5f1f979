import { codeOf, type PartitionStatus, type StartPosition, type ToolContext } from "@pulsar-ts-io/core";
import { describeCheckpoint } from "../checkpoint.ts";
import type { Lease } from "../lease/lease.ts";
import { isOurs } from "../lease/lease-share.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { retryBriefly } from "../retry.ts";
import type { KinesisStream, ReadPosition } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import type { ConsumerPorts } from "../stream-consumer.ts";

/** KCL and we renew every 3.3 s: an owner that lives has moved its counter by then. */
const watchMs = 4_000;
const shardsReadAtOnce = 8;
const retryMs = 3_000;

/**
 * Every lease with its owner, how far behind it is and whether its owner was seen at work. Takes 4 s when there are owners.
 *
 * Writes nothing and takes nothing. The lag costs one of the five reads a second that Kinesis allows each shard; one that may not be
 * read is reported without it, and the log says why.
 */
export async function inspectLeases(
  { stream, table }: ConsumerPorts,
  context: ToolContext,
  options: { readonly initialPosition: StartPosition },
): Promise<readonly PartitionStatus[]> {
  const { signal } = context;
  if (!(await tableExists(table, signal))) return [];
  const leases = [...(await table.list({ consistent: true }, signal))].sort((a, b) =>
    a.shardId < b.shardId ? -1 : 1,
  );
  const [active, lags] = await Promise.all([
    ownersAtWork(leases, table, context),
    readLags(leases, stream, { ...options, ...context }),
  ]);
  return leases.map((lease) => statusOf(lease, active, lags));
}

function statusOf(
  lease: Lease,
  active: ReadonlySet<ShardId>,
  lags: ReadonlyMap<ShardId, number>,
): PartitionStatus {
  const { shardId, owner, checkpoint, childShardIds } = lease;
  return {
    id: shardId,
    owner,
    ownedSinceMs: isOurs(lease) ? lease.ownedSinceMs : undefined,
    ownerActive: owner === undefined ? undefined : active.has(shardId),
    lagMs: lags.get(shardId),
    position: describeCheckpoint(checkpoint),
    finished: checkpoint.kind === "shard-end",
    children: childShardIds,
  };
}

/** Whether there is a table. Someone without the right to describe it may have the right to read it. */
export async function tableExists(table: LeaseTable, signal: AbortSignal): Promise<boolean> {
  try {
    return await table.ready(signal);
  } catch (error) {
    if (codeOf(error) === "PIO_AWS_ACCESS_DENIED") return true;
    throw error;
  }
}

/** The leases that changed while they were watched. Only their change tells: no row says when it was written. */
async function ownersAtWork(
  before: readonly Lease[],
  table: LeaseTable,
  { clock, signal }: ToolContext,
): Promise<ReadonlySet<ShardId>> {
  if (before.every((lease) => lease.owner === undefined)) return new Set();
  await clock.sleep(watchMs, signal);
  const after = new Map((await table.list({ consistent: true }, signal)).map((one) => [one.shardId, one]));
  const changed = before.filter((lease) => after.get(lease.shardId)?.counter !== lease.counter);
  return new Set(changed.map((lease) => lease.shardId));
}

interface LagOptions extends ToolContext {
  readonly initialPosition: StartPosition;
}

async function readLags(
  leases: readonly Lease[],
  stream: KinesisStream,
  options: LagOptions,
): Promise<ReadonlyMap<ShardId, number>> {
  const lags = new Map<ShardId, number>();
  const silent = new Map<string, { readonly error: unknown; shards: number }>();
  const waiting = leases.flatMap((lease) => {
    const position = nextPosition(lease, options.initialPosition);
    return position === undefined ? [] : [{ id: lease.shardId, position }];
  });
  const readInTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        lags.set(next.id, await readLag(stream, next, options));
      } catch (error) {
        options.signal.throwIfAborted();
        const code = codeOf(error) ?? String(error);
        const known = silent.get(code);
        silent.set(code, { error: known?.error ?? error, shards: (known?.shards ?? 0) + 1 });
      }
    }
  };
  await Promise.all(Array.from({ length: shardsReadAtOnce }, readInTurn));
  for (const { error, shards } of silent.values()) {
    options.logger.warn({ err: error, shards }, "the lag of some shards is not known");
  }
  return lags;
}

async function readLag(
  stream: KinesisStream,
  shard: { readonly id: ShardId; readonly position: ReadPosition },
  { clock, signal }: ToolContext,
): Promise<number> {
  return await retryBriefly({ clock, forMs: retryMs, signal }, async () => {
    const iterator = await stream.openIterator(shard.id, shard.position, signal);
    return (await stream.getRecords(shard.id, iterator, 1, signal)).millisBehindLatest;
  });
}

/** Where a worker would go on; `undefined` for what is finished, and for a LATEST that nobody has opened yet: it is nowhere. */
function nextPosition({ checkpoint, startTimeMs }: Lease, initial: StartPosition): ReadPosition | undefined {
  switch (checkpoint.kind) {
    case "after":
      return { kind: "after-sequence", sequenceNumber: checkpoint.sequenceNumber.toString() };
    case "trim-horizon":
      return { kind: "trim-horizon" };
    case "at-timestamp":
      return initial.kind === "at-timestamp" ? initial : { kind: "trim-horizon" };
    case "latest":
      return startTimeMs === undefined ? undefined : { kind: "at-timestamp", epochMs: startTimeMs };
    case "shard-end":
      return undefined;
    default:
      return checkpoint satisfies never;
  }
}
