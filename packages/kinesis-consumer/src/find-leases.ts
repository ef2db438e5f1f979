import { type Clock, codeOf, type StartPosition } from "@pulsar-ts-io/core";
import type { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { Lease, StreamStamp } from "./lease/lease.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { retryBriefly } from "./retry.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { type InitialPosition, planFirstLeases } from "./shard/lease-plan.ts";
import type { Shard } from "./shard/shard.ts";
import { checkStreamIdentity } from "./shard/stream-identity.ts";

/** How long what may heal is tried again. */
const retryMs = 5_000;
/** So long before Kinesis' own time a lease at LATEST is opened: the header has whole seconds, and its clock may be off. */
export const latestSlackMs = 5_000;

export interface FindLeasesOptions {
  readonly clock: Clock;
  readonly streamName: string;
  readonly tableName: string;
  readonly initialPosition: StartPosition;
  readonly kcl3: Kcl3Watch;
}

/** What a worker starts from. */
export interface FoundLeases {
  readonly stamp: StreamStamp;
  readonly initial: InitialPosition;
  readonly leases: readonly Lease[];
  /** When `leases` had been read, monotonic milliseconds. */
  readonly scannedMs: number;
}

/**
 * Finds the stream and the lease table, and creates what is missing of the table and its first leases.
 *
 * The table is created only after the stream was found: a misspelt name leaves nothing behind. What can run side by side does:
 * a restart reads its first record within two seconds.
 */
export async function findLeases(
  stream: KinesisStream,
  table: LeaseTable,
  options: FindLeasesOptions & { readonly signal: AbortSignal },
): Promise<FoundLeases> {
  const { clock, kcl3, signal, streamName, tableName, initialPosition } = options;
  const retry = <T>(attempt: () => Promise<T>) => retryBriefly({ clock, forMs: retryMs, signal }, attempt);
  const [found, shards, streamCreatedMs] = await Promise.all([
    retry(async () => ((await table.ready(signal)) ? await scan(table, clock, signal) : undefined)),
    retry(() => stream.listShards(undefined, signal)),
    createdMsIfPossible(retry(() => stream.createdMs(signal))),
    // Before the first lease is taken: how much restraint that needs.
    retry(() => kcl3.look(signal)),
  ]);
  const startTimeMs = initialPosition.kind === "latest" ? stream.serviceTimeMs() - latestSlackMs : undefined;
  const initial = { position: initialPosition, startTimeMs };
  const stamp = { streamName, streamCreatedMs };
  if (found === undefined) await retry(() => table.ensure(signal));
  let { leases, scannedMs } = found ?? (await retry(() => scan(table, clock, signal)));
  if (leases.length === 0) {
    await retry(() => createFirst({ stream, table, initial, stamp }, signal));
    ({ leases, scannedMs } = await retry(() => scan(table, clock, signal)));
  }
  await checkIdentity(leases, shards, { tableName, stamp }, () =>
    retry(() => stream.listShards(undefined, signal)),
  );
  return { stamp, initial, leases, scannedMs };
}

/** The time is taken here and not when all is found: what a predecessor left may be taken so much after it. */
async function scan(
  table: LeaseTable,
  clock: Clock,
  signal: AbortSignal,
): Promise<Pick<FoundLeases, "leases" | "scannedMs">> {
  const leases = await table.list({ consistent: true }, signal);
  return { leases, scannedMs: clock.monotonic() };
}

/**
 * KCL never needed the permission for it when polling: an operator who comes from there has not given it. And the service answers
 * it for 20 callers a second in an account: a fleet that starts at once must not fail for it.
 */
async function createdMsIfPossible(asked: Promise<number | undefined>): Promise<number | undefined> {
  try {
    return await asked;
  } catch (error) {
    const code = codeOf(error);
    if (code === "PIO_AWS_ACCESS_DENIED" || code === "PIO_AWS_THROTTLED") return undefined;
    throw error;
  }
}

async function createFirst(
  places: {
    readonly stream: KinesisStream;
    readonly table: LeaseTable;
    readonly initial: InitialPosition;
    readonly stamp: StreamStamp;
  },
  signal: AbortSignal,
): Promise<void> {
  const { stream, table, initial, stamp } = places;
  const shards = await stream.listShards(initial.position, signal);
  await table.create(planFirstLeases(shards, initial), stamp, signal);
}

async function checkIdentity(
  leases: readonly Lease[],
  shards: readonly Shard[],
  subject: Parameters<typeof checkStreamIdentity>[2],
  listAgain: () => Promise<readonly Shard[]>,
): Promise<void> {
  try {
    checkStreamIdentity(leases, shards, subject);
  } catch {
    // The leases may be newer than the listing: a shard may have been split and leased in between.
    checkStreamIdentity(leases, await listAgain(), subject);
  }
}
