import { type PartitionStatus, runTogether, type StartPosition } from "@pulsar-ts-io/core";
import { describeCheckpoint } from "./checkpoint.ts";
import type { AggregateHandling, ConsumerHost } from "./consumer-options.ts";
import type { ReadBudget } from "./fetch/read-budget.ts";
import type { Retrieval } from "./fetch/shard-reader.ts";
import { type FoundLeases, latestSlackMs } from "./find-leases.ts";
import { aborted, JoinedSignal } from "./joined-signal.ts";
import type { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { Lease } from "./lease/lease.ts";
import { LeaseCleaner } from "./lease/lease-cleaner.ts";
import { LeaseCoordinator } from "./lease/lease-coordinator.ts";
import { LeaseMaker } from "./lease/lease-maker.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { LeaseTaker } from "./lease/lease-taker.ts";
import { ObservedScans } from "./lease/observed-scans.ts";
import { OneStreamTable } from "./lease/one-stream-table.ts";
import type { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { LeaseCreations } from "./metrics/lease-creations.ts";
import { RenewRounds } from "./metrics/renew-rounds.ts";
import { TakeRounds } from "./metrics/take-rounds.ts";
import type { RecordQueue } from "./record-queue.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { LeaseAudit } from "./shard/lease-audit.ts";
import { ParentGate } from "./shard/parent-gate.ts";
import type { ShardId } from "./shard/shard.ts";
import { ShardEnd } from "./shard/shard-end.ts";
import { ShardReadings } from "./shard/shard-readings.ts";

/**
 * How long a scan or a take waits for renewals that are short of time, milliseconds. Not longer: nobody reads the shard of a lease
 * that is not taken, and on a machine that is always short of time it would never be.
 */
const longestStandBackMs = 250;

export interface WorkerPlaces {
  readonly stream: KinesisStream;
  readonly table: LeaseTable;
  readonly kcl3: Kcl3Watch;
  readonly queue: RecordQueue;
  readonly budget: ReadBudget;
  readonly host: ConsumerHost;
  readonly metrics: ConsumerMetrics;
}

export interface WorkerOptions {
  readonly workerId: string;
  readonly instanceId: string;
  readonly streamName: string;
  readonly applicationName: string;
  readonly initialPosition: StartPosition;
  readonly retrieval: Retrieval;
  readonly aggregates: AggregateHandling;
  readonly numberRecords?: boolean;
  readonly checkpointIntervalMs: number;
  readonly backoffMs: number;
  readonly checkpointAttempts: number;
  readonly failoverMs: number;
}

/** The running part of a consumer: keeps leases, takes them, and reads their shards. */
export class Worker {
  readonly #places: WorkerPlaces;
  readonly #options: WorkerOptions;
  readonly #renewals: RenewRounds;
  readonly #coordinator: LeaseCoordinator;
  readonly #taker: LeaseTaker;
  readonly #audit: LeaseAudit;
  readonly #cleaner: LeaseCleaner;
  readonly #readings: ShardReadings;
  readonly #intakeStop = new AbortController();
  #intakeEnded: Promise<void> = Promise.resolve();
  #withdrawn: Promise<void> = Promise.resolve();

  constructor(places: WorkerPlaces, options: WorkerOptions, found: FoundLeases) {
    const { stream, host, metrics } = places;
    const { clock, meter } = host;
    const { initial, stamp } = found;
    const table = new OneStreamTable(places.table, { tableName: options.applicationName, stamp });
    const logger = host.logger.child({ component: "kinesis-consumer", workerId: options.workerId });
    // A worker that holds leases reads on for as long as they last.
    const tableOutage = host.troubles.of("lease table", {
      blocking: () => this.#coordinator.leases.length === 0,
    });
    const shared = {
      ...options,
      clock,
      logger,
      outage: tableOutage,
      listing: host.troubles.of("list of shards", { blocking: false }),
      initial,
      stamp,
      restraint: places.kcl3,
      random: Math.random,
    };
    this.#places = places;
    this.#options = options;
    this.#renewals = new RenewRounds(table, metrics, shared);
    this.#coordinator = new LeaseCoordinator(this.#renewals, logger, { ...shared, meter });
    const coordinator = this.#coordinator;
    const takerHost = {
      isHeld: (id: ShardId) => coordinator.get(id) !== undefined,
      taken: (lease: Lease, takenMs: number) => this.#readings.start(lease, takenMs),
      standBack: (signal: AbortSignal) => coordinator.standBack(signal, longestStandBackMs),
      latestMs: () => stream.serviceTimeMs() - latestSlackMs,
    };
    const scans = new ObservedScans(table, (leases) => this.#audit.saw(leases));
    this.#taker = new LeaseTaker(new TakeRounds(scans, metrics, shared), takerHost, shared);
    this.#taker.scanned(found.leases, found.scannedMs);
    const making = { stamp, created: (lease: Lease) => this.#taker.created(lease) };
    const maker = new LeaseMaker(new LeaseCreations(table, metrics, "ShardSyncTask"), logger, making);
    const heirs = new LeaseMaker(new LeaseCreations(table, metrics, "ShutdownTask"), logger, making);
    this.#audit = new LeaseAudit({ stream, table, maker }, { ...shared, kcl3: places.kcl3 });
    this.#audit.saw(found.leases);
    this.#cleaner = new LeaseCleaner({ stream, table, coordinator }, shared);
    const gate = new ParentGate(table, clock, tableOutage);
    const end = new ShardEnd({ stream, table, coordinator, maker: heirs }, shared);
    const own = { coordinator, taker: this.#taker, renewals: this.#renewals, gate, end };
    this.#readings = new ShardReadings({ ...places, ...own }, shared);
  }

  /** Works until `stop` aborts; takes and reads until `stopReading` does. */
  async run(stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    await runTogether(stop, [
      (signal) => this.#coordinator.run(signal),
      (signal) => this.#renewals.run(() => this.#coordinator.leases.length, signal),
      async (signal) => {
        this.#intakeEnded = this.#intake(stopReading, signal);
        // At once, and not with the release: what was read here may take long to settle.
        this.#withdrawn = this.#intakeEnded.then(() => this.#taker.withdraw(signal));
        await this.#withdrawn;
        await aborted(signal);
      },
    ]);
  }

  /** Ends the intake, stores the last checkpoints and gives up every lease. */
  async release(signal: AbortSignal): Promise<void> {
    this.#intakeStop.abort(new Error("the consumer is closing"));
    // A lease that is being taken is waited for: it would stay ours without our knowing. Its failure is the run's.
    await Promise.race([this.#intakeEnded.catch(() => {}), aborted(signal)]);
    await Promise.race([this.#readings.letGoOfAll(), aborted(signal)]);
    await this.#coordinator.releaseAll(signal);
    await Promise.race([this.#withdrawn.catch(() => {}), aborted(signal)]);
  }

  status(): readonly PartitionStatus[] {
    return this.#coordinator.leases.map(({ lease }) => ({
      id: lease.shardId,
      owner: this.#options.workerId,
      ownedSinceMs: lease.ownedSinceMs,
      position: describeCheckpoint(lease.checkpoint),
      finished: lease.checkpoint.kind === "shard-end",
      ...this.#readings.status(lease.shardId),
    }));
  }

  async #intake(stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    using joined = new JoinedSignal(stopReading, this.#intakeStop.signal, stop);
    const { signal } = joined;
    try {
      await runTogether(signal, [
        (reading) => this.#taker.run(reading, stop),
        (reading) => this.#readings.run(reading),
        (reading) => this.#audit.run(reading),
        (reading) => this.#cleaner.run(reading),
        (reading) => this.#places.kcl3.run(reading),
      ]);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }
}
