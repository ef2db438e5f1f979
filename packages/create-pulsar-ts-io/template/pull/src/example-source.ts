import { readFile } from "node:fs/promises";
import {
  codeOf,
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

/** Where the state store keeps the number of lines that Pulsar has. */
const stateKey = "lines";
const newline = 0x0a;

interface Opened {
  readonly options: ExampleSourceOptions;
  readonly context: SourceContext;
  readonly window: AckWindow;
  /** Where the position is kept; `undefined`: nowhere. */
  readonly state: StateStore | undefined;
}

/** Follows a file, line by line. A position never passes a line that was not acknowledged. */
export class ExampleSource implements Source<ExampleSourceOptions> {
  #opened: Opened | undefined;
  /** Lines that were read and not yet handed out. */
  #lines: readonly Uint8Array[] = [];
  #next = 0;

  async open(options: ExampleSourceOptions, context: SourceContext): Promise<void> {
    context.signal.throwIfAborted();
    const state = await usableState(context);
    const stored = await state?.get(stateKey);
    this.#next = stored === undefined ? 0 : Number(new TextDecoder().decode(stored));
    this.#opened = { options, context, window: new AckWindow(this.#next), state };
  }

  async read(): Promise<SourceRecord> {
    const { options, context, window } = this.#whenOpen();
    const { signal, clock } = context;
    for (;;) {
      signal.throwIfAborted();
      const line = this.#lines[this.#next];
      if (line !== undefined) {
        const position = this.#next;
        this.#next += 1;
        return new LineRecord(line, position, window);
      }
      this.#lines = await this.#look(options.path);
      if (this.#lines.length <= this.#next) await clock.sleep(options.pollIntervalMs, signal);
    }
  }

  /** Acknowledgements have all arrived: the position is stored for the next start. */
  async close(): Promise<void> {
    if (this.#opened === undefined) return;
    const { state, window } = this.#opened;
    await state?.put(stateKey, new TextEncoder().encode(String(window.safe)));
  }

  status(): readonly PartitionStatus[] {
    if (this.#opened === undefined) return [];
    const { options, window } = this.#opened;
    return [{ id: options.path, position: `line ${window.safe}` }];
  }

  /** All complete lines of the file. Read it piece by piece if yours are large. */
  async #look(path: string): Promise<readonly Uint8Array[]> {
    try {
      return linesOf(await readFile(path));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  #whenOpen(): Opened {
    if (this.#opened === undefined) throw new IllegalStateError("the source is not open");
    return this.#opened;
  }
}

/** One line of the file: a class, as there is one for each record. */
class LineRecord implements SourceRecord {
  readonly value: Uint8Array;
  readonly #position: number;
  readonly #window: AckWindow;

  constructor(value: Uint8Array, position: number, window: AckWindow) {
    this.value = value;
    this.#position = position;
    this.#window = window;
  }

  ack(): void {
    this.#window.acknowledge(this.#position);
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

function linesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}
