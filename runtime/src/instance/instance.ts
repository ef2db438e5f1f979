import { type PartitionStatus, type Source, type Trouble, toError } from "@pulsar-ts-io/core";
import type { Transport } from "@pulsar-ts-io/pulsar";
import { InstanceCounters, type InstanceSnapshot } from "./counters.ts";
import type { DeadLettersHost } from "./dead-letters.ts";
import { aborted, endedWithin } from "./deadline.ts";
import { InstanceFailedError, ShutdownTimeoutError, type Stage } from "./errors.ts";
import { InstanceContext } from "./instance-context.ts";
import type { InstanceOptions } from "./instance-options.ts";
import { Outlets } from "./outlets.ts";
import { type InstanceErrors, RecentErrors } from "./recent-errors.ts";
import { RecordPump } from "./record-pump.ts";
import { RefusedRecords } from "./refused-records.ts";
import { closePublishingMs, closeSourceMs, stopGraceMs } from "./stop-limits.ts";

/**
 * Runs one source once: reads records, publishes them, and settles each when its receipt arrives.
 *
 * The rule above all others: a record is acknowledged only after the broker confirmed it.
 * Owns the source and the transport: both are closed when {@link run} ends.
 */
export class Instance<C> {
  readonly #source: Source<C>;
  readonly #transport: Transport;
  readonly #options: InstanceOptions;
  readonly #outlets: Outlets;
  readonly #host: DeadLettersHost & { settling: boolean };
  readonly #refusals: RefusedRecords;
  readonly #systemErrors: RecentErrors;
  readonly #sourceErrors: RecentErrors;
  /** Aborted: stop reading, and nothing else. */
  readonly #reading = new AbortController();
  #opened = false;
  #lingering = false;
  #failure: InstanceFailedError | undefined;
  /** The first failure to drain or to close. */
  #undone: InstanceFailedError | undefined;

  constructor(source: Source<C>, transport: Transport, options: InstanceOptions) {
    this.#source = source;
    this.#transport = transport;
    this.#options = options;
    const { clock, guarantee } = options;
    this.#outlets = new Outlets(transport, options, (error) => this.#fail("pulsar", error));
    this.#systemErrors = new RecentErrors(clock);
    this.#sourceErrors = new RecentErrors(clock);
    options.troubles.whenLasting((error) => this.#systemErrors.add(error));
    this.#host = {
      counters: new InstanceCounters(),
      guarantee,
      clock,
      latency: options.meter.histogram(
        "pulsar_ts_io_receipt_latency_seconds",
        "From handing a record to its publisher to its receipt",
      ),
      settling: true,
      refused: (error, record) => {
        this.#systemErrors.add(error);
        this.#refusals.refused(error, record);
      },
      misbehaved: (error) => this.#fail("run", error),
      fail: (error) => this.#fail("pulsar", error),
    };
    this.#refusals = new RefusedRecords(this.#host, {
      skip: options.onRefused.kind === "skip",
      letters: this.#outlets.letters,
      topic: options.topic,
      logger: options.logger,
    });
  }

  /**
   * Runs until `signal` aborts, then drains: no more reads, every receipt awaited, the source closed after its last
   * acknowledgement, the publishers after the source, the transport last. Returning means it was told to stop. Once only.
   *
   * @throws InstanceFailedError naming the stage that failed, after the same drain.
   */
  async run(config: C, signal: AbortSignal): Promise<void> {
    const stop = () => this.#reading.abort(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const sweeping = this.#ended("pulsar", this.#outlets.publishers.sweep(this.#reading.signal));
    try {
      if (await this.#openOutlets()) await this.#runSource(config);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#reading.abort(new Error("the instance has ended"));
      await sweeping;
      await this.#bounded("pulsar", closePublishingMs, "the publishers", () => this.#outlets.close());
      await this.#bounded("pulsar", closePublishingMs, "the connection", () => this.#transport.close());
    }
    if (this.#failure === undefined) return;
    this.#failure.undone = this.#undone;
    throw this.#failure;
  }

  /** Whether it was told to stop, or failed, and ends. */
  get draining(): boolean {
    return this.#reading.signal.aborted;
  }

  /** Whether its source was opened. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Whether its source did not close in time: it may still hold what it reads from. */
  get lingering(): boolean {
    return this.#lingering;
  }

  /** What it did so far. */
  snapshot(): InstanceSnapshot {
    const lags = this.partitions().flatMap(({ lagMs }) => (lagMs === undefined ? [] : [lagMs]));
    return {
      ...this.#host.counters,
      systemExceptions: this.#systemErrors.count,
      sourceExceptions: this.#sourceErrors.count,
      lagMs: lags.length === 0 ? undefined : Math.max(...lags),
    };
  }

  /** Its last failures, newest last. */
  errors(): InstanceErrors {
    return { system: this.#systemErrors.last, source: this.#sourceErrors.last };
  }

  /** What fails and is retried now, the oldest first. */
  troubles(): readonly Trouble[] {
    return this.#options.troubles.current();
  }

  /** What the source says of its partitions; nothing before it is open. */
  partitions(): readonly PartitionStatus[] {
    if (!this.#opened) return [];
    try {
      return this.#source.status?.() ?? [];
    } catch (error) {
      // Whoever only watches a source must not end it.
      this.#options.logger.debug({ err: error }, "source cannot state its status");
      return [];
    }
  }

  /** @returns whether they are open: a stop that came first is no failure. */
  async #openOutlets(): Promise<boolean> {
    const { signal } = this.#reading;
    if (!signal.aborted) await this.#ended("pulsar", this.#outlets.open(signal));
    return !signal.aborted;
  }

  async #runSource(config: C): Promise<void> {
    const { signal } = this.#reading;
    const context = new InstanceContext(this.#options, {
      signal,
      fatal: (error) => this.#fail(this.#refusals.isCause(error) ? "pulsar" : "run", error),
      release: (partitionId) => this.#outlets.publishers.release(partitionId),
    });
    await this.#untilStopped("open", () => this.#source.open(config, context));
    if (!signal.aborted) {
      this.#opened = true;
      this.#options.logger.info({ topic: this.#options.topic }, "source opened, reading");
      const { topic, clock } = this.#options;
      const pump = new RecordPump(this.#source, this.#outlets, { host: this.#host, topic, clock });
      await this.#untilStopped("run", () => pump.run(signal));
      await this.#drain();
    }
    this.#host.settling = false; // nothing is acknowledged to a source that stores its last position
    this.#lingering = true;
    await this.#bounded("close", closeSourceMs, "the source", () => this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.#source.close();
    } finally {
      this.#lingering = false;
    }
  }

  async #drain(): Promise<void> {
    const { drainTimeoutMs, logger } = this.#options;
    const { counters } = this.#host;
    const reason = toError(this.#reading.signal.reason).message;
    logger.info({ inFlight: counters.inFlight, reason }, "reading stopped, waiting for receipts");
    const flush = (signal: AbortSignal) => this.#outlets.flush(signal);
    await this.#bounded("pulsar", drainTimeoutMs, `${counters.inFlight} unconfirmed records`, flush);
    counters.abandoned += counters.inFlight;
  }

  /** Waits for `work`; once reading stops, only a little longer. */
  async #untilStopped(stage: Stage, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#reading;
    const ended = this.#ended(stage, start(work));
    await Promise.race([ended, aborted(signal)]);
    if (await endedWithin(this.#options.clock, stopGraceMs, () => ended)) return;
    this.#options.logger.warn({ stage }, "source did not notice that it shall stop, going on without it");
  }

  /** Waits for `job`; its failure ends the instance, unless it ended because reading was stopped. */
  async #ended(stage: Stage, job: Promise<unknown>): Promise<void> {
    const { signal } = this.#reading;
    try {
      await job;
    } catch (error) {
      if (!signal.aborted) this.#fail(stage, error);
      else if (error !== signal.reason) this.#options.logger.debug({ err: error }, "failed while it stopped");
    }
  }

  async #bounded(
    stage: Stage,
    ms: number,
    what: string,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    try {
      if (await endedWithin(this.#options.clock, ms, (signal) => start(() => work(signal)))) return;
      const remedy = "nothing that is unconfirmed is lost: it is read again at the next start";
      this.#fail(stage, new ShutdownTimeoutError(`gave up waiting for ${what} after ${ms} ms`, { remedy }));
    } catch (error) {
      this.#fail(stage, error);
    }
  }

  /** The first failure counts; what fails after it is mostly its consequence. */
  #fail(stage: Stage, error: unknown): void {
    const failure = error instanceof InstanceFailedError ? error : new InstanceFailedError(stage, error);
    this.#remember(failure);
    if (this.#leavesUndone(failure)) {
      failure.undone = failure;
      this.#undone ??= failure;
    }
    if (this.#failure === undefined) this.#failure = failure;
    else this.#options.logger.warn({ err: toError(error), stage }, "failed again while ending");
    this.#reading.abort(failure);
  }

  /** A record that cannot be published stays unconfirmed. Before the source is open there is none. */
  #leavesUndone({ stage }: InstanceFailedError): boolean {
    return stage === "close" || (stage === "pulsar" && this.#opened);
  }

  #remember({ stage, cause }: InstanceFailedError): void {
    const error = toError(cause);
    if (this.#refusals.isCause(error)) return; // it was, when it was refused
    this.#systemErrors.add(error);
    if (stage !== "pulsar") this.#sourceErrors.add(error);
  }
}

/** A source written in JavaScript may throw where it should reject. */
async function start(work: () => Promise<void>): Promise<void> {
  await work();
}
