import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Clock,
  crowdedController,
  hasCode,
  type Logger,
  type Outage,
  type PartitionStatus,
  runTogether,
  type StartPosition,
} from "@pulsar-ts-io/core";
import { ConsumerMeter } from "../consumer-meter.ts";
import type { AggregateHandling, ConsumerHost } from "../consumer-options.ts";
import type { ReadBudget } from "../fetch/read-budget.ts";
import type { Retrieval } from "../fetch/shard-reader.ts";
import { JobGroup } from "../job-group.ts";
import { within } from "../joined-signal.ts";
import type { HeldLease } from "../lease/held-lease.ts";
import type { Kcl3Watch } from "../lease/kcl3-watch.ts";
import type { Lease, StreamStamp } from "../lease/lease.ts";
import { type LeaseCoordinator, renewIntervalMs } from "../lease/lease-coordinator.ts";
import type { LeaseTaker } from "../lease/lease-taker.ts";
import type { ConsumerMetrics } from "../metrics/consumer-metrics.ts";
import type { MetricScope } from "../metrics/metric-scope.ts";
import type { RenewRounds } from "../metrics/renew-rounds.ts";
import type { RecordQueue } from "../record-queue.ts";
import { AckWindow } from "./ack-window.ts";
import type { KinesisStream } from "./kinesis-stream.ts";
import type { ParentGate } from "./parent-gate.ts";
import { ReaderHealth } from "./reader-health.ts";
import { ReaderWatch, type WatchedReader } from "./reader-watch.ts";
import type { ShardId } from "./shard.ts";
import { ShardConsumer, type ShardLife } from "./shard-consumer.ts";
import type { Ending, ShardEnd } from "./shard-end.ts";
import { type Beginning, ShardNumbering } from "./shard-numbering.ts";
import { ShardProgress } from "./shard-progress.ts";
import { ShardThroughput } from "./shard-throughput.ts";
import { positionOfOtherStream } from "./stream-identity.ts";

export interface ShardReadingsPlaces {
  readonly stream: KinesisStream;
  readonly kcl3: Kcl3Watch;
  readonly queue: RecordQueue;
  readonly budget: ReadBudget;
  readonly host: ConsumerHost;
  readonly metrics: ConsumerMetrics;
  readonly coordinator: LeaseCoordinator;
  readonly taker: LeaseTaker;
  readonly renewals: RenewRounds;
  readonly gate: ParentGate;
  readonly end: ShardEnd;
}

export interface ShardReadingsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly streamName: string;
  readonly applicationName: string;
  readonly stamp: StreamStamp;
  readonly initialPosition: StartPosition;
  readonly retrieval: Retrieval;
  readonly aggregates: AggregateHandling;
  readonly numberRecords?: boolean;
  readonly backoffMs: number;
  readonly failoverMs: number;
}

/** How long the host may take to let go of a partition before the lease is released all the same. */
const hostReleaseMs = 5_000;
const never = crowdedController().signal;

/** One shard while this worker reads it. */
interface Reading {
  readonly shardId: ShardId;
  readonly numbering: ShardNumbering | undefined;
  readonly consumer: ShardConsumer;
  readonly progress: ShardProgress;
  readonly health: ReaderHealth;
  /** Once the host was asked to let go of it: until it has, or its time is over. */
  lettingGo: Promise<void> | undefined;
}

/** The shards that this worker reads, each from the taking of its lease to its end. */
export class ShardReadings {
  readonly #places: ShardReadingsPlaces;
  readonly #options: ShardReadingsOptions;
  readonly #meter: ConsumerMeter;
  readonly #shutdowns: MetricScope;
  readonly #trouble: Outage;
  readonly #watch: ReaderWatch;
  readonly #readers = new JobGroup();
  readonly #readings = new Map<ShardId, Reading>();
  /** Of each shard, the last time that the host was asked to let go of it. */
  readonly #lettingGo = new Map<ShardId, Promise<void>>();

  constructor(places: ShardReadingsPlaces, options: ShardReadingsOptions) {
    const { clock, logger, streamName } = options;
    const { meter } = places.host;
    this.#places = places;
    this.#options = options;
    this.#meter = new ConsumerMeter(meter, places.metrics, streamName);
    this.#shutdowns = places.metrics.ofOperation("ShutdownTask");
    this.#trouble = places.host.troubles.of("reading from Kinesis", {
      blocking: (affected) => affected >= places.coordinator.leases.length,
    });
    const outage = places.host.troubles.of("shard readers", {
      blocking: (affected) => affected >= places.coordinator.leases.length,
    });
    const buffered = () => places.budget.used;
    this.#watch = new ReaderWatch({ clock, logger, meter, outage, streamName, buffered });
  }

  /** Reads, and watches the readers, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await runTogether(signal, [(stop) => this.#readers.run(stop), (stop) => this.#watch.run(stop)]);
  }

  /** What is known of a shard while it is read. */
  status(id: ShardId): Pick<PartitionStatus, "lagMs" | "checkpointAgeMs" | "activity" | "received"> {
    const reading = this.#readings.get(id);
    const unconfirmedMs = reading?.consumer.unconfirmedAgeMs(this.#places.stream.serviceTimeMs());
    const lags = [reading?.health.behindMs, unconfirmedMs].filter((lagMs) => lagMs !== undefined);
    return {
      lagMs: lags.length === 0 ? undefined : Math.max(...lags),
      checkpointAgeMs: reading?.progress.ageMs,
      activity: reading?.health.state,
      received: reading?.consumer.received,
    };
  }

  /** Reads the shard of a lease that was just taken. @param takenMs when the write that took it was sent, monotonic milliseconds. */
  start(lease: Lease, takenMs: number): void {
    const { queue, budget, stream, kcl3, coordinator, renewals, taker } = this.#places;
    const window = new AckWindow();
    const intervalMs = renewIntervalMs(this.#options.failoverMs);
    const throughput = new ShardThroughput({ clock: this.#options.clock, intervalMs });
    const { shardId } = lease;
    const { numberRecords, applicationName } = this.#options;
    const numbering = numberRecords === true ? new ShardNumbering(applicationName, shardId) : undefined;
    const progress = new ShardProgress(window, lease.checkpoint, {
      clock: this.#options.clock,
      numbering,
      letGo: () => this.#letGo(reading),
      throughput: () => (kcl3.wasHere ? throughput.measure() : undefined),
    });
    const held = coordinator.hold(lease, takenMs, progress);
    const health = new ReaderHealth(this.#options.clock.monotonic());
    const consumer = new ShardConsumer(
      held,
      { window, queue },
      {
        ...this.#options,
        budget,
        throughput,
        outage: this.#trouble,
        meter: this.#meter.ofShard(lease.shardId),
        signs: health,
        numbering,
        random: Math.random,
        standBack: (signal, longestMs) => coordinator.standBack(signal, longestMs),
      },
    );
    const reading: Reading = { shardId, numbering, consumer, progress, health, lettingGo: undefined };
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
        renewals.lost();
        taker.gaveUp(lease.shardId);
        void this.#letGo(reading);
      }
    });
    held.handOff.addEventListener("abort", () => {
      this.#watch.remove(watched);
      taker.gaveUp(lease.shardId);
    });
    this.#readers.start(async (signal) => {
      try {
        await consumer.run(stream, this.#life(), signal);
      } catch (error) {
        if (!hasCode(error, "PIO_POSITION_REFUSED")) throw error;
        const { applicationName: tableName, stamp } = this.#options;
        throw positionOfOtherStream({ tableName, stamp }, lease.shardId, error);
      }
    });
  }

  /** Makes the host let go of every shard. Takes five seconds at most; does not reject. */
  async letGoOfAll(): Promise<void> {
    await Promise.all([...this.#readings.values()].map((reading) => this.#letGo(reading)));
  }

  /** Its reader cannot be brought to read: another worker may be able to. */
  #giveUp(held: HeldLease, { consumer, progress }: Reading): void {
    const { coordinator, taker } = this.#places;
    const { shardId } = held.lease;
    consumer.stop();
    taker.gaveUp(shardId);
    held.signal.addEventListener("abort", () => taker.leave(shardId));
    coordinator.giveUp(held, progress);
  }

  #life(): ShardLife {
    return {
      parentsFinished: (held, signs, signal) => this.#places.gate.pass(held.lease, signs, signal),
      number: (held, beginning, reading) => this.#number(held, beginning, reading),
      finish: async (held, end, ending) => {
        const finished = await this.#places.end.finish(held, end, ending);
        if (finished) await this.#finished(held);
        return finished;
      },
    };
  }

  /** Stores a new epoch, and waits for the host: of what it had of the shard before it may publish nothing after this. */
  async #number(held: HeldLease, beginning: Beginning, { signs, signal }: Ending): Promise<void> {
    const { shardId } = held.lease;
    if (beginning.kind === "new") {
      const { numbering, why } = beginning;
      signs.calling();
      await this.#places.coordinator.store(held, { numbering }, signal);
      signal.throwIfAborted();
      this.#meter.epochBegan(why);
      const { epoch } = numbering;
      this.#options.logger.info({ shardId, epoch, why }, "the records of a shard are numbered from 0");
    }
    signs.waiting();
    await this.#lettingGo.get(shardId);
  }

  async #finished(held: HeldLease): Promise<void> {
    this.#places.gate.open();
    const reading = this.#readings.get(held.lease.shardId);
    if (reading !== undefined) await this.#letGo(reading);
  }

  /** Hands out no more of a shard, and makes the host let go of it. Takes five seconds at most; does not reject. */
  #letGo(reading: Reading): Promise<void> {
    const { shardId, consumer, numbering } = reading;
    consumer.letGo();
    this.#places.queue.sweep();
    // Of numbered records none was handed out before they had their epoch.
    const partitionId = numbering === undefined ? shardId : numbering.partitionId;
    if (partitionId === undefined) return Promise.resolve();
    reading.lettingGo ??= this.#releasePartition(shardId, partitionId);
    this.#lettingGo.set(shardId, reading.lettingGo);
    return reading.lettingGo;
  }

  async #releasePartition(shardId: ShardId, partitionId: string): Promise<void> {
    const startMs = this.#shutdowns.nowMs();
    const release = () => this.#askHost(shardId, partitionId);
    await within(hostReleaseMs, this.#options.clock, release, never);
    const ms = this.#shutdowns.nowMs() - startMs;
    this.#shutdowns.add("RecordProcessor.shutdown.Time", ms, "Milliseconds", "SUMMARY");
  }

  async #askHost(shardId: ShardId, partitionId: string): Promise<void> {
    // A record that was handed out in this turn is on its way to the host: it must not meet a partition that was released already.
    await nextTurn();
    try {
      await this.#places.host.releasePartition(partitionId);
    } catch (error) {
      this.#places.host.logger.warn({ err: error, shardId }, "releasing a partition failed");
    }
  }
}
