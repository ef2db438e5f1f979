import type { Source, SourceContext, SourceRecord } from "@pulsar-ts-io/core";

export type Settlement = "acknowledged" | "failed";

/** A record that remembers how it was settled, and would say so if it were settled twice. */
export class TestRecord implements SourceRecord {
  readonly value: Uint8Array;
  readonly destinationTopic: string | undefined;
  readonly settlements: Settlement[] = [];
  readonly error: Error[] = [];

  constructor(text: string, destinationTopic?: string) {
    this.value = new TextEncoder().encode(text);
    this.destinationTopic = destinationTopic;
  }

  ack(): void {
    this.settlements.push("acknowledged");
  }

  fail(error: Error): void {
    this.settlements.push("failed");
    this.error.push(error);
  }
}

/** A record whose source leaves failures to the host. */
export class RecordWithoutFail implements SourceRecord {
  readonly value: Uint8Array = new Uint8Array([1]);
  acknowledged = 0;

  ack(): void {
    this.acknowledged += 1;
  }
}

/** Reads the records it was made with, then waits for the stop. */
export class ListSource implements Source<unknown> {
  readonly log: string[];
  readonly records: SourceRecord[];
  closed = 0;
  reads = 0;
  context: SourceContext | undefined;

  constructor(records: readonly SourceRecord[], log: string[] = []) {
    this.records = [...records];
    this.log = log;
  }

  open(_config: unknown, context: SourceContext): Promise<void> {
    this.log.push("open source");
    this.context = context;
    return Promise.resolve();
  }

  async read(): Promise<SourceRecord> {
    const record = this.records[this.reads];
    if (record === undefined) return stopped(this.signal);
    this.reads += 1;
    await Promise.resolve();
    return record;
  }

  close(): Promise<void> {
    this.log.push("close source");
    this.closed += 1;
    return Promise.resolve();
  }

  get signal(): AbortSignal {
    if (this.context === undefined) throw new Error("not open");
    return this.context.signal;
  }
}

/** Rejects with the signal's reason once it is aborted. */
export function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** So many records, each of its own text. */
export function records(count: number): TestRecord[] {
  return Array.from({ length: count }, (_, index) => new TestRecord(`record ${index}`));
}
