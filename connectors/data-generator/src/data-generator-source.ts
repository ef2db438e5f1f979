import {
  hasCode,
  IllegalStateError,
  type PartitionStatus,
  type Source,
  type SourceContext,
  type SourceRecord,
} from "@pulsar-ts-io/core";
import type { DataGeneratorSourceOptions } from "./generated/options.ts";
import { Pace } from "./pace.ts";
import { type Partition, partitionsOf } from "./partition.ts";
import { Positions } from "./positions.ts";
import { partitionName, RecordMaker, type RecordPlace } from "./record-maker.ts";

interface Opened {
  readonly context: SourceContext;
  readonly maker: RecordMaker;
  readonly pace: Pace;
  readonly partitions: ReadonlyMap<number, Partition>;
  /** Those that still have records, the next one first. */
  readonly turns: Partition[];
  readonly positions: Positions | undefined;
  /** Ends the writing of positions. */
  readonly stop: AbortController;
  readonly writing: Promise<void>;
}

/** Makes records of its own. A position never passes a record that was not acknowledged. */
export class DataGeneratorSource implements Source<DataGeneratorSourceOptions> {
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;
  readonly #onAck = ({ partition, sequence }: RecordPlace): void => {
    this.#opened?.partitions.get(partition)?.acknowledge(sequence);
  };

  /** @throws DataGeneratorConfigError (`PIO_DATA_GENERATOR_CONFIG`), and what the state store throws. */
  async open(options: DataGeneratorSourceOptions, context: SourceContext): Promise<void> {
    const { tenant, namespace, sourceName, instanceId, numInstances, clock, logger, state } = context;
    const maker = new RecordMaker(options, `${tenant}/${namespace}/${sourceName}`);
    const { partitions: all, count, recordsPerSecond } = options;
    const own = partitionsOf({ partitions: all, count, instanceId, numInstances });
    if (own.length === 0) logger.warn({ partitions: all, numInstances }, "no partition for this instance");
    const positions =
      state === undefined ? undefined : await loadPositions(new Positions(state, own, context));
    context.signal.throwIfAborted(); // it may be closed by now, and nobody would end what begins here
    const stop = new AbortController();
    this.#opened = {
      context,
      maker,
      pace: new Pace((recordsPerSecond * own.length) / all, clock),
      partitions: new Map(own.map((partition) => [partition.number, partition])),
      turns: own.filter((partition) => !partition.exhausted),
      positions,
      stop,
      writing: untilStopped(positions, stop.signal),
    };
  }

  async read(): Promise<SourceRecord> {
    const { context, maker, pace, turns } = this.#whenOpen();
    context.signal.throwIfAborted();
    const [partition] = turns;
    if (partition === undefined) return await forever(context.signal);
    if (!pace.pass()) await pace.wait(context.signal);
    const sequence = partition.take();
    turns.shift();
    if (!partition.exhausted) turns.push(partition);
    else if (turns.length === 0) context.logger.info({}, "all records made, idle until stopped");
    return maker.make({ partition: partition.number, sequence }, context.clock.now(), this.#onAck);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  status(): readonly PartitionStatus[] {
    if (this.#opened === undefined) return [];
    const { partitions, positions, context } = this.#opened;
    return [...partitions.values()].map((partition) => ({
      id: partitionName(partition.number),
      owner: String(context.instanceId),
      position: String(partition.safe),
      checkpointAgeMs: positions?.ageMs(partition),
      received: partition.taken,
      activity: partition.exhausted ? "idle" : "reading",
      finished: partition.safe >= partition.count,
    }));
  }

  async #close(): Promise<void> {
    if (this.#opened === undefined) return;
    const { positions, stop, writing } = this.#opened;
    stop.abort(new Error("the source is closed"));
    await writing;
    await positions?.store();
  }

  #whenOpen(): Opened {
    if (this.#opened === undefined) throw new IllegalStateError("the data generator is not open");
    return this.#opened;
  }
}

/** @returns `undefined` where the host has no store: then every start begins anew. */
async function loadPositions(positions: Positions): Promise<Positions | undefined> {
  try {
    await positions.load();
    return positions;
  } catch (error) {
    if (hasCode(error, "PIO_STATE_DISABLED")) return undefined;
    throw error;
  }
}

async function untilStopped(positions: Positions | undefined, signal: AbortSignal): Promise<void> {
  try {
    await positions?.run(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Waits for the end, as there is nothing else to wait for. */
function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
