import { hasCode, PartitionsHeldError, type StartPosition, type ToolContext } from "@pulsar-ts-io/core";
import { defaultFailoverMs } from "../consumer-options.ts";
import { LeaseTableMissingError } from "../errors.ts";
import type { Lease, NewLease, StreamStamp } from "../lease/lease.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { firstLeases } from "../shard/first-leases.ts";
import type { ShardId } from "../shard/shard.ts";
import { createdMsIfAllowed } from "../shard/stream-age.ts";
import { checkStreamIdentity } from "../shard/stream-identity.ts";
import type { ConsumerPorts } from "../stream-consumer.ts";

/** A renewal on its way when the watch begins may land so late. */
const watchSlackMs = 1_000;
const watchEveryMs = 1_000;

export interface ResetOptions {
  readonly streamName: string;
  readonly applicationName: string;
  readonly to: StartPosition;
}

/**
 * Makes the table what a first start at `to` would make it: a lease for each shard that matters from there on, and no other row.
 * All that was stored is gone, ordinals and start times too.
 *
 * What is missing is created first, then positions are moved, then other rows are deleted: a crash at any point leaves a table that
 * covers every shard, and the command can be repeated. Each write depends on the row being as it was seen.
 *
 * @throws PartitionsHeldError (`PIO_PARTITIONS_HELD`) when a row changed while it was watched: for as long as a lease lasts if some have owners,
 *   so that what a dead worker left can be reset.
 * @throws LeaseTableMissingError (`PIO_LEASE_TABLE_MISSING`), LeaseTableOfOtherStreamError (`PIO_LEASE_TABLE_OF_OTHER_STREAM`).
 */
export async function resetLeases(
  { stream, table }: ConsumerPorts,
  context: ToolContext,
  options: ResetOptions,
): Promise<void> {
  const { signal, logger } = context;
  const { streamName, applicationName, to } = options;
  if (!(await table.ready(signal))) {
    throw new LeaseTableMissingError(`there is no lease table "${applicationName}": nothing was read yet`, {
      remedy: "check the application name; the first start begins where the config says",
    });
  }
  const all = await stream.listShards(undefined, signal);
  const stamp = { streamName, streamCreatedMs: await createdMsIfAllowed(stream, signal) };
  const leases = await table.list({ consistent: true }, signal);
  checkSameName(() => checkStreamIdentity(leases, all, { tableName: applicationName, stamp }));
  await watch(leases, table, context);
  // Without a start time: a worker that takes a lease at LATEST stamps it.
  const plan = await firstLeases(stream, { position: to, startTimeMs: undefined }, signal);
  const changes = await write({ table, leases, plan, stamp }, signal);
  logger.info({ table: applicationName, ...changes }, "leases reset");
}

interface Changes {
  readonly created: number;
  readonly moved: number;
  readonly deleted: number;
}

async function write(
  parts: {
    readonly table: LeaseTable;
    readonly leases: readonly Lease[];
    readonly plan: readonly NewLease[];
    readonly stamp: StreamStamp;
  },
  signal: AbortSignal,
): Promise<Changes> {
  const { table, leases, plan, stamp } = parts;
  const rows = new Map(leases.map((lease) => [lease.shardId, lease]));
  const planned = new Set(plan.map((lease) => lease.shardId));
  const missing = plan.filter((lease) => !rows.has(lease.shardId));
  const created = new Set(await table.create(missing, stamp, signal));
  for (const lease of missing) {
    if (created.has(lease.shardId) || (await hasLanded(table, lease, 0, signal))) continue;
    throw held(`a lease of ${lease.shardId} appeared`);
  }
  for (const lease of plan) {
    const seen = rows.get(lease.shardId);
    if (seen === undefined || (await table.replace(seen, lease, stamp, signal))) continue;
    if (await hasLanded(table, lease, seen.counter + 1, signal)) continue;
    throw held(`the lease of ${lease.shardId} changed`);
  }
  const others = leases.filter((lease) => !planned.has(lease.shardId));
  for (const lease of others) {
    if (!(await table.deleteUnchanged(lease, signal))) throw held(`the lease of ${lease.shardId} changed`);
  }
  return { created: missing.length, moved: plan.length - missing.length, deleted: others.length };
}

/**
 * Whether what refused the write is the write itself: the client sends it a second time when it got no answer.
 *
 * @param counter that of the row once it is written.
 */
async function hasLanded(
  table: LeaseTable,
  written: NewLease,
  counter: number,
  signal: AbortSignal,
): Promise<boolean> {
  const row = await table.get(written.shardId, signal);
  return (
    row !== undefined &&
    row.owner === undefined &&
    row.counter === counter &&
    row.checkpoint.kind === written.checkpoint.kind &&
    row.startTimeMs === written.startTimeMs
  );
}

/** Proves that nobody works on the leases: a lease expires by not changing for its time, and in no other way. */
async function watch(
  leases: readonly Lease[],
  table: LeaseTable,
  { clock, logger, signal }: ToolContext,
): Promise<void> {
  const owned = leases.filter(isOwned);
  if (owned.length === 0) return;
  const watchMs = defaultFailoverMs + watchSlackMs;
  logger.info({ owned: owned.length, watchMs }, "some leases have owners, watching whether they live");
  const before = new Map(leases.map((lease) => [lease.shardId, lease]));
  for (const end = clock.monotonic() + watchMs; clock.monotonic() < end; ) {
    await clock.sleep(watchEveryMs, signal);
    const now = await table.list({ consistent: true }, signal);
    const changed = now.find((lease) => hasChanged(lease, before));
    if (changed === undefined && now.length === leases.length) continue;
    throw new PartitionsHeldError(
      changed === undefined
        ? "nothing was reset: leases disappeared while they were watched"
        : `nothing was reset: ${changed.owner ?? "somebody"} works on ${changed.shardId}`,
      { remedy: "stop every worker of this application, Java's too, and try again" },
    );
  }
}

function isOwned({ owner, checkpointOwner }: Lease): boolean {
  return owner !== undefined || checkpointOwner !== undefined;
}

function hasChanged(now: Lease, before: ReadonlyMap<ShardId, Lease>): boolean {
  const then = before.get(now.shardId);
  return then?.counter !== now.counter || then.owner !== now.owner;
}

function held(what: string): PartitionsHeldError {
  return new PartitionsHeldError(`the reset stopped half-way: ${what}, so a worker was started`, {
    remedy: "stop every worker of this application, Java's too, and reset again",
  });
}

/** A stream created anew is what a reset is for; a table of another stream is somebody else's. */
function checkSameName(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!hasCode(error, "PIO_STREAM_RECREATED")) throw error;
  }
}
