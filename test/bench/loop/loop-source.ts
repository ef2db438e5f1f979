import type { Source, SourceContext, SourceRecord } from "@pulsar-ts-io/core";

const partitions = ["a", "b", "c", "d"];
const value = new Uint8Array(1_024);

/** As small as a record can be. */
class LoopRecord implements SourceRecord {
  readonly value: Uint8Array = value;
  readonly partitionId: string;
  readonly recordSequence: bigint;
  readonly #source: LoopSource;

  constructor(source: LoopSource, number: number) {
    this.#source = source;
    this.partitionId = partitions[number % partitions.length] ?? "a";
    this.recordSequence = BigInt(number);
  }

  ack(): void {
    this.#source.acknowledged += 1;
  }
}

/** Has its records in memory, and calls back when so many were read. */
export class LoopSource implements Source<undefined> {
  acknowledged = 0;
  readonly #count: number;
  readonly #onRead: () => void;
  #read = 0;
  #signal: AbortSignal | undefined;

  constructor(count: number, onRead: () => void) {
    this.#count = count;
    this.#onRead = onRead;
  }

  open(_config: undefined, context: Pick<SourceContext, "signal">): Promise<void> {
    this.#signal = context.signal;
    return Promise.resolve();
  }

  async read(): Promise<SourceRecord> {
    if (this.#read === this.#count) return await this.#ended();
    this.#read += 1;
    return new LoopRecord(this, this.#read);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #ended(): Promise<never> {
    const signal = this.#signal;
    if (signal === undefined) throw new Error("the source was not opened");
    this.#onRead();
    return new Promise((_, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
