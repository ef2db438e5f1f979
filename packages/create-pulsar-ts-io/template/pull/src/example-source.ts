import {
  hasCode,
  IllegalStateError,
  type PartitionStatus,
  type Source,
  type SourceContext,
  type SourceRecord,
  type StateStore,
} from "@pulsar-ts-io/core";
import { AckWindow } from "./ack-window.ts";
import type { ExampleSourceOptions } from "./generated/options.ts";
import { readLines } from "./lines.ts";

/** Where the state store keeps the byte up to which Pulsar has the lines. */
const stateKey = "offset";
/** What came in the last so many milliseconds is read again after a crash. */
const storeEveryMs = 3_000;

interface Opened {
  readonly options: ExampleSourceOptions;
  readonly context: SourceContext;
  /** Where the position is kept; `undefined`: nowhere. */
  readonly state: StateStore | undefined;
}

/** Follows a file, line by line. A position never passes a line that was not acknowledged. */
export class ExampleSource implements Source<ExampleSourceOptions> {
  #opened: Opened | undefined;
  #window = new AckWindow(0);
  /** Lines that were fetched and not yet handed out. */
  #lines: readonly SourceRecord[] = [];
  #taken = 0;
  /** Where the next line to fetch begins. */
  #next = 0;
  #stored = 0;
  #storedAt = 0;

  async open(options: ExampleSourceOptions, context: SourceContext): Promise<void> {
    context.signal.throwIfAborted();
    const state = await usableState(context);
    const stored = await state?.get(stateKey);
    this.#next = stored === undefined ? 0 : Number(new TextDecoder().decode(stored));
    this.#stored = this.#next;
    this.#storedAt = context.clock.monotonic();
    this.#window = new AckWindow(this.#next);
    this.#opened = { options, context, state };
  }

  async read(): Promise<SourceRecord> {
    const { options, context } = this.#whenOpen();
    const { signal, clock } = context;
    for (;;) {
      signal.throwIfAborted();
      const line = this.#lines[this.#taken];
      if (line !== undefined) {
        this.#taken += 1;
        return line;
      }
      await this.#storeWhenDue();
      this.#lines = await this.#fetch();
      this.#taken = 0;
      if (this.#lines.length === 0) await clock.sleep(options.pollIntervalMs, signal);
    }
  }

  /** Acknowledgements have all arrived: the position is stored for the next start. */
  async close(): Promise<void> {
    if (this.#opened !== undefined) await this.#store();
  }

  status(): readonly PartitionStatus[] {
    if (this.#opened === undefined) return [];
    return [{ id: this.#opened.options.path, position: `byte ${this.#window.safe}` }];
  }

  async #fetch(): Promise<readonly SourceRecord[]> {
    const { options, context } = this.#whenOpen();
    const { start, lines } = await readLines(options.path, this.#next);
    if (start < this.#next) {
      context.logger.warn({ path: options.path }, "the file was cut short, reading it from its beginning");
      this.#window = new AckWindow(start);
    }
    this.#next = start;
    return lines.map((value) => {
      const record = new LineRecord(value, this.#next, this.#window);
      this.#next = record.end;
      return record;
    });
  }

  async #storeWhenDue(): Promise<void> {
    const now = this.#whenOpen().context.clock.monotonic();
    if (now - this.#storedAt < storeEveryMs) return;
    this.#storedAt = now;
    await this.#store();
  }

  async #store(): Promise<void> {
    const { safe } = this.#window;
    if (safe === this.#stored) return;
    await this.#whenOpen().state?.put(stateKey, new TextEncoder().encode(String(safe)));
    this.#stored = safe;
  }

  #whenOpen(): Opened {
    if (this.#opened === undefined) throw new IllegalStateError("the source is not open");
    return this.#opened;
  }
}

/** One line of the file: a class, as there is one for each record. */
class LineRecord implements SourceRecord {
  readonly value: Uint8Array;
  /** Where the next line begins. */
  readonly end: number;
  readonly #start: number;
  readonly #window: AckWindow;

  constructor(value: Uint8Array, start: number, window: AckWindow) {
    this.value = value;
    this.end = start + value.length + 1;
    this.#start = start;
    this.#window = window;
  }

  ack(): void {
    this.#window.acknowledge(this.#start, this.end);
  }
}

/** The state store, where the host was given one with `--state-store`. */
async function usableState({ state, logger }: SourceContext): Promise<StateStore | undefined> {
  try {
    await state?.get(stateKey);
    return state;
  } catch (error) {
    if (!hasCode(error, "PIO_STATE_DISABLED")) throw error;
    logger.warn({}, "no state store, every start begins with the first line");
    return undefined;
  }
}
