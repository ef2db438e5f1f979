import type { PartitionStatus, Source, SourceContext, SourceRecord } from "@pulsar-ts-io/core";
import { BoundedQueue } from "@pulsar-ts-io/core";
import type { ProducedRecord } from "../../src/contract/index.ts";

/** A service of the simplest kind: records in a row, and the position up to which a reader is done. */
class Pond {
  readonly records: ProducedRecord[] = [];
  position = 0;
}

export interface PondOptions {
  readonly pond: string;
  readonly bufferLength: number;
  readonly password?: string;
}

const ponds = new Map<string, Pond>();

export function pondOf(name: string): Pond {
  const pond = ponds.get(name) ?? new Pond();
  ponds.set(name, pond);
  return pond;
}

export function drain(name: string): void {
  ponds.delete(name);
}

export class PondRecord implements SourceRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly place: number;
  readonly #source: PondSource;

  constructor(source: PondSource, place: number, { key, value }: ProducedRecord) {
    this.#source = source;
    this.place = place;
    this.key = key;
    this.value = value;
  }

  ack(): void {
    this.#source.acknowledged(this.place);
  }

  fail(error: Error): void {
    this.#source.failed(this.place, error);
  }
}

/** A source that keeps every promise; each hook is a place where one can be broken. */
export class PondSource implements Source<PondOptions> {
  protected context: SourceContext | undefined;
  protected pondName = "";
  protected pond: Pond = new Pond();
  protected buffer: BoundedQueue<PondRecord> = new BoundedQueue(1);
  /** Up to here everything is acknowledged. */
  protected safe = 0;
  readonly #early = new Set<number>();
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  async open(options: PondOptions, context: SourceContext): Promise<void> {
    context.signal.throwIfAborted();
    this.context = context;
    this.pondName = options.pond;
    this.pond = pondOf(options.pond);
    this.safe = this.pond.position;
    this.buffer = new BoundedQueue(options.bufferLength);
    this.#running = this.#run(this.pond.position);
  }

  async read(): Promise<SourceRecord> {
    const { context } = this;
    if (context === undefined) throw new Error("not open");
    return await this.buffer.take(context.signal);
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("closed"));
    await this.#running.catch(() => undefined);
  }

  status(): readonly PartitionStatus[] {
    return [{ id: "pond", position: String(this.safe) }];
  }

  acknowledged(place: number): void {
    this.#early.add(place);
    while (this.#early.delete(this.safe)) this.safe += 1;
    this.store(this.safe);
  }

  failed(_place: number, error: Error): void {
    this.context?.fatal(error);
  }

  /** Hands a record on to the buffer. */
  protected async take(record: PondRecord, signal: AbortSignal): Promise<void> {
    await this.buffer.put(record, signal);
  }

  protected recordAt(place: number, produced: ProducedRecord): PondRecord {
    return new PondRecord(this, place, produced);
  }

  protected store(position: number): void {
    this.pond.position = position;
  }

  async #run(from: number): Promise<void> {
    const { signal } = this.#stop;
    for (let place = from; ; ) {
      const produced = this.pond.records[place];
      if (produced === undefined) {
        await this.context?.clock.sleep(10, signal);
        continue;
      }
      await this.take(this.recordAt(place, produced), signal);
      place += 1;
    }
  }
}
