import { type Clock, hasCode, type Logger, type StartPosition } from "@pulsar-ts-io/core";
import type { StreamRecreation } from "./consumer-options.ts";
import type { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { Lease, StreamStamp } from "./lease/lease.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { retryBriefly } from "./retry.ts";
import { firstLeases } from "./shard/first-leases.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import type { InitialPosition } from "./shard/lease-plan.ts";
import { createdMsIfAllowed } from "./shard/stream-age.ts";
import { checkStreamIdentity } from "./shard/stream-identity.ts";
import { StreamReset, type StreamView } from "./shard/stream-reset.ts";

/** How long what may heal is tried again. */
const retryMs = 5_000;
/** The service says to 20 callers a second in an account how old a stream is: where all depends on it, a whole fleet waits its turn. */
const ageRetryMs = 60_000;
/** So long before Kinesis' own time a lease at LATEST is opened: the header has whole seconds, and its clock may be off. */
export const latestSlackMs = 5_000;

export interface FindLeasesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly workerId: string;
  readonly failoverMs: number;
  readonly streamName: string;
  readonly tableName: string;
  readonly initialPosition: StartPosition;
  readonly onStreamRecreated: StreamRecreation;
  readonly kcl3: Kcl3Watch;
}

/** What a worker starts from. */
export interface FoundLeases {
  readonly stamp: StreamStamp;
  readonly initial: InitialPosition;
  readonly leases: readonly Lease[];
  /** When `leases` had been read, monotonic milliseconds. */
  readonly scannedMs: number;
  /** Whether there were leases of a stream that is no more. */
  readonly reset: boolean;
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
  const { clock, kcl3, signal, streamName, tableName, initialPosition, onStreamRecreated } = options;
  const retry = <T>(attempt: () => Promise<T>) => retryBriefly({ clock, forMs: retryMs, signal }, attempt);
  const resets = onStreamRecreated === "reset";
  const [found, shards, streamCreatedMs] = await Promise.all([
    retry(async () => ((await table.ready(signal)) ? await scan(table, clock, signal) : undefined)),
    retry(() => stream.listShards(undefined, signal)),
    resets
      ? retryBriefly({ clock, forMs: ageRetryMs, signal }, () => createdMsIfAllowed(stream, signal))
      : unlessThrottled(retry(() => createdMsIfAllowed(stream, signal))),
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
  const view: StreamView = { stamp, shards, leases, scannedMs };
  const now = resets
    ? await new StreamReset({ stream, table, ...options }, { ...options, retry }).run(view, signal)
    : view;
  await checkIdentity(now, tableName, () => retry(() => stream.listShards(undefined, signal)));
  return { stamp: now.stamp, initial, leases: now.leases, scannedMs: now.scannedMs, reset: now !== view };
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

/** A fleet that starts at once must not fail for a question that the service answers to 20 callers a second in an account. */
async function unlessThrottled(asked: Promise<number | undefined>): Promise<number | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (hasCode(error, "PIO_AWS_THROTTLED")) return undefined;
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
  await table.create(await firstLeases(stream, initial, signal), stamp, signal);
}

async function checkIdentity(
  { leases, shards, stamp }: StreamView,
  tableName: string,
  listAgain: () => Promise<StreamView["shards"]>,
): Promise<void> {
  const subject = { tableName, stamp };
  try {
    checkStreamIdentity(leases, shards, subject);
  } catch {
    // The leases may be newer than the listing: a shard may have been split and leased in between.
    checkStreamIdentity(leases, await listAgain(), subject);
  }
}
