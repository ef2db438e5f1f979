import {
  type Clock,
  hasCode,
  type Logger,
  type PartitionStatus,
  runTogether,
  type StartPosition,
} from "@pulsar-ts-io/core";
import { describeCheckpoint } from "./checkpoint.ts";
import { ConsumerMeter } from "./consumer-meter.ts";
import type { AggregateHandling, ConsumerHost } from "./consumer-options.ts";
import type { ReadBudget } from "./fetch/read-budget.ts";
import type { Retrieval } from "./fetch/shard-reader.ts";
import { type FoundLeases, latestSlackMs } from "./find-leases.ts";
import { JobGroup } from "./job-group.ts";
import { aborted, JoinedSignal } from "./joined-signal.ts";
import type { HeldLease } from "./lease/held-lease.ts";
import type { Kcl3Watch } from "./lease/kcl3-watch.ts";
import type { Lease } from "./lease/lease.ts";
import { LeaseCleaner } from "./lease/lease-cleaner.ts";
import { LeaseCoordinator, renewIntervalMs } from "./lease/lease-coordinator.ts";
import { LeaseMaker } from "./lease/lease-maker.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { LeaseTaker } from "./lease/lease-taker.ts";
import { ObservedScans } from "./lease/observed-scans.ts";
import { OneStreamTable } from "./lease/one-stream-table.ts";
import type { ConsumerMetrics } from "./metrics/consumer-metrics.ts";
import { LeaseCreations } from "./metrics/lease-creations.ts";
import type { MetricScope } from "./metrics/metric-scope.ts";
import { RenewRounds } from "./metrics/renew-rounds.ts";
import { TakeRounds } from "./metrics/take-rounds.ts";
import { OutageLog } from "./outage-log.ts";
import type { RecordQueue } from "./record-queue.ts";
import { AckWindow } from "./shard/ack-window.ts";
import type { KinesisStream } from "./shard/kinesis-stream.ts";
import { LeaseAudit } from "./shard/lease-audit.ts";
import { ParentGate } from "./shard/parent-gate.ts";
import { ReaderHealth } from "./shard/reader-health.ts";
import { ReaderWatch, type WatchedReader } from "./shard/reader-watch.ts";
import type { ShardId } from "./shard/shard.ts";
import { ShardConsumer, type ShardLife } from "./shard/shard-consumer.ts";
import { ShardEnd } from "./shard/shard-end.ts";
import { ShardProgress } from "./shard/shard-progress.ts";
import { ShardThroughput } from "./shard/shard-throughput.ts";
import { positionOfOtherStream } from "./shard/stream-identity.ts";

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
  readonly checkpointIntervalMs: number;
  readonly backoffMs: number;
  readonly checkpointAttempts: number;
  readonly failoverMs: number;
}

/** How long the host may take to let go of its partitions before the leases are released all the same. */
const hostReleaseMs = 5_000;

/** One shard while this worker reads it. */
interface Reading {
  readonly consumer: ShardConsumer;
  readonly progress: ShardProgress;
  readonly health: ReaderHealth;
}

/** The running part of a consumer: keeps leases, takes them, and reads their shards. */
export class Worker {
  readonly #places: WorkerPlaces;
  readonly #options: WorkerOptions;
  readonly #found: FoundLeases;
  readonly #clock: Clock;
  readonly #meter: ConsumerMeter;
  readonly #renewals: RenewRounds;
  readonly #shutdowns: MetricScope;
  readonly #coordinator: LeaseCoordinator;
  readonly #taker: LeaseTaker;
  readonly #audit: LeaseAudit;
  readonly #cleaner: LeaseCleaner;
  readonly #gate: ParentGate;
  readonly #end: ShardEnd;
  readonly #readingTrouble: OutageLog;
  readonly #logger: Logger;
  readonly #watch: ReaderWatch;
  readonly #readers = new JobGroup();
  readonly #readings = new Map<ShardId, Reading>();
  readonly #intakeStop = new AbortController();
  #intakeEnded: Promise<void> = Promise.resolve();
  #withdrawn: Promise<void> = Promise.resolve();

  constructor(places: WorkerPlaces, options: WorkerOptions, found: FoundLeases) {
    const { stream, host, metrics } = places;
    const { clock, meter } = host;
    const { initial, stamp } = found;
    const table = new OneStreamTable(places.table, { tableName: options.applicationName, stamp });
    const logger = host.logger.child({ component: "kinesis-consumer", workerId: options.workerId });
    const tableTrouble = new OutageLog(logger, "the lease table");
    const shared = {
      ...options,
      clock,
      logger,
      outage: tableTrouble,
      initial,
      stamp,
      restraint: places.kcl3,
      random: Math.random,
    };
    this.#places = places;
    this.#logger = logger;
    this.#options = options;
    this.#found = found;
    this.#clock = clock;
    this.#meter = new ConsumerMeter(meter, metrics, options.streamName);
    this.#readingTrouble = new OutageLog(logger, "reading from Kinesis");
    this.#renewals = new RenewRounds(table, metrics, shared);
    this.#shutdowns = metrics.ofOperation("ShutdownTask");
    this.#coordinator = new LeaseCoordinator(this.#renewals, logger, { ...shared, meter });
    this.#watch = new ReaderWatch({ clock, logger, meter, streamName: options.streamName });
    const coordinator = this.#coordinator;
    const takerHost = {
      isHeld: (id: ShardId) => coordinator.get(id) !== undefined,
      taken: (lease: Lease, takenMs: number) => this.#start(lease, takenMs),
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
    this.#gate = new ParentGate(table, clock, tableTrouble);
    this.#end = new ShardEnd({ stream, table, coordinator, maker: heirs }, shared);
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
    const ids = this.#coordinator.leases.map((held) => held.lease.shardId);
    await this.#within(hostReleaseMs, Promise.all(ids.map((id) => this.#releasePartition(id))), signal);
    await this.#coordinator.releaseAll(signal);
    await Promise.race([this.#withdrawn.catch(() => {}), aborted(signal)]);
  }

  status(): readonly PartitionStatus[] {
    return this.#coordinator.leases.map(({ lease }) => {
      const reading = this.#readings.get(lease.shardId);
      return {
        id: lease.shardId,
        owner: this.#options.workerId,
        lagMs: reading?.consumer.millisBehindLatest,
        position: describeCheckpoint(lease.checkpoint),
        checkpointAgeMs: reading?.progress.ageMs,
        activity: reading?.health.state,
        finished: lease.checkpoint.kind === "shard-end",
      };
    });
  }

  async #intake(stopReading: AbortSignal, stop: AbortSignal): Promise<void> {
    using joined = new JoinedSignal(stopReading, this.#intakeStop.signal, stop);
    const { signal } = joined;
    try {
      await runTogether(signal, [
        (reading) => this.#taker.run(reading, stop),
        (reading) => this.#readers.run(reading),
        (reading) => this.#watch.run(reading),
        (reading) => this.#audit.run(reading),
        (reading) => this.#cleaner.run(reading),
        (reading) => this.#places.kcl3.run(reading),
      ]);
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  #start(lease: Lease, takenMs: number): void {
    const { queue, budget, stream, kcl3 } = this.#places;
    const window = new AckWindow();
    const intervalMs = renewIntervalMs(this.#options.failoverMs);
    const throughput = new ShardThroughput({ clock: this.#clock, intervalMs });
    const progress = new ShardProgress(window, lease.checkpoint, {
      clock: this.#clock,
      letGo: () => this.#releasePartition(lease.shardId),
      throughput: () => (kcl3.wasHere ? throughput.measure() : undefined),
    });
    const held = this.#coordinator.hold(lease, takenMs, progress);
    const health = new ReaderHealth(this.#clock.monotonic());
    const consumer = new ShardConsumer(
      held,
      { window, queue },
      {
        ...this.#options,
        clock: this.#clock,
        budget,
        throughput,
        logger: this.#logger,
        outage: this.#readingTrouble,
        meter: this.#meter.ofShard(lease.shardId),
        signs: health,
        random: Math.random,
      },
    );
    const reading = { consumer, progress, health };
    const watched: WatchedReader = {
      shardId: lease.shardId,
      health,
      restart: () => consumer.restart(),
      giveUp: () => this.#giveUp(held, reading),
    };
    this.#watch.add(watched);
    this.#readings.set(lease.shardId, reading);
    held.signal.addEventListener("abort", () => {
      window.close();
      queue.sweep();
      this.#watch.remove(watched);
      if (this.#readings.get(lease.shardId) === reading) this.#readings.delete(lease.shardId);
      if (held.lost) {
        this.#renewals.lost();
        this.#taker.gaveUp(lease.shardId);
        void this.#releasePartition(lease.shardId);
      }
    });
    held.handOff.addEventListener("abort", () => {
      this.#watch.remove(watched);
      this.#taker.gaveUp(lease.shardId);
    });
    this.#readers.start(async (signal) => {
      try {
        await consumer.run(stream, this.#life(), signal);
      } catch (error) {
        if (!hasCode(error, "PIO_POSITION_REFUSED")) throw error;
        const { applicationName: tableName } = this.#options;
        throw positionOfOtherStream({ tableName, stamp: this.#found.stamp }, lease.shardId, error);
      }
    });
  }

  /** Its reader cannot be brought to read: another worker may be able to. */
  #giveUp(held: HeldLease, { consumer, progress }: Reading): void {
    const { shardId } = held.lease;
    consumer.stop();
    this.#taker.gaveUp(shardId);
    held.signal.addEventListener("abort", () => this.#taker.leave(shardId));
    this.#coordinator.giveUp(held, progress);
  }

  #life(): ShardLife {
    return {
      parentsFinished: (held, signs, signal) => this.#gate.pass(held.lease, signs, signal),
      finish: async (held, end, ending) => {
        const finished = await this.#end.finish(held, end, ending);
        if (finished) await this.#finished(held);
        return finished;
      },
    };
  }

  async #finished(held: HeldLease): Promise<void> {
    this.#gate.open();
    await this.#releasePartition(held.lease.shardId);
  }

  /** Waits for `done`, but no longer than `ms` and until `signal` aborts. */
  async #within(ms: number, done: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    using joined = new JoinedSignal(signal, over.signal);
    const late = this.#clock.sleep(ms, joined.signal).catch(() => {});
    await Promise.race([done, late]);
    over.abort();
    await late;
  }

  async #releasePartition(id: ShardId): Promise<void> {
    const startMs = this.#shutdowns.nowMs();
    try {
      await this.#places.host.releasePartition(id);
    } catch (error) {
      this.#places.host.logger.warn({ err: error, shardId: id }, "releasing a partition failed");
    } finally {
      const ms = this.#shutdowns.nowMs() - startMs;
      this.#shutdowns.add("RecordProcessor.shutdown.Time", ms, "Milliseconds", "SUMMARY");
    }
  }
}
