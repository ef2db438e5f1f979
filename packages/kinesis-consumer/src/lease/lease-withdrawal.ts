import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { ShardId } from "../shard/shard.ts";
import { CallPool } from "./call-pool.ts";
import type { LeaseTable, WriteOutcome } from "./lease-table.ts";

/** Of one lease; after that it is left to expire. */
const maxAttempts = 3;
const retryMs = 200;

export interface WithdrawalOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workerId: string;
}

/**
 * Lets go of leases that may name this worker although it does not hold them, because it asked for them or does not know how the
 * taking ended: nobody would read them until they expire.
 *
 * One that is read by another worker of ours stays its reader's; one that was handed over already is nobody's. Safe to repeat, so that
 * a lost answer does no harm. What cannot be withdrawn is logged, and expires. @throws the reason of `signal` only.
 */
export async function withdraw(
  table: LeaseTable,
  ids: readonly ShardId[],
  options: WithdrawalOptions,
  signal: AbortSignal,
): Promise<void> {
  const pool = new CallPool(options);
  await pool.each(ids, (id) => withdrawOne(table, id, options, signal), signal);
}

async function withdrawOne(
  table: LeaseTable,
  id: ShardId,
  { clock, logger, workerId }: WithdrawalOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await letGo(table, id, workerId, signal);
    if (outcome.kind !== "failed") return;
    if (attempt === maxAttempts) {
      logger.warn(
        { err: outcome.error, shardId: id },
        "a lease that was asked for was not let go, it expires",
      );
      return;
    }
    await clock.sleep(retryMs, signal);
  }
}

async function letGo(
  table: LeaseTable,
  id: ShardId,
  workerId: string,
  signal: AbortSignal,
): Promise<WriteOutcome> {
  const outcome = await table.withdrawRequest(id, workerId, signal);
  if (outcome.kind !== "refused") return outcome;
  const { current } = outcome;
  if (current?.owner !== workerId || current.checkpointOwner !== undefined) return outcome;
  // Nobody else has this id: it was handed over already, or taken by a write whose answer was lost.
  return await table.write(current, { release: true }, signal);
}
