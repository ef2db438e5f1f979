import { WakeUp } from "../wake-up.ts";

/** The most one answer of GetRecords may hold, by Kinesis' limits. */
const maxAnswerBytes = 10 * 1_024 * 1_024;

export interface ReadBudgetOptions {
  /** Records fetched, or being fetched, and not yet handed on; at least 1. */
  readonly maxRecords: number;
  /** Their payloads. One answer for each call in flight may exceed it: sizes are known only afterwards. */
  readonly maxBytes: number;
}

/** Room that a call has set aside for what it may bring. */
export interface Grant {
  readonly records: number;
  readonly bytes: number;
}

/**
 * The room that the readers of all shards share. Who waits is served in order, so that no shard starves another.
 *
 * Half of the room is enough to go ahead: asking for little and often would use up the five calls a second of a shard.
 */
export class ReadBudget {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #line: object[] = [];
  readonly #changed = new WakeUp();
  #records = 0;
  #bytes = 0;

  constructor(options: ReadBudgetOptions) {
    if (!(Number.isInteger(options.maxRecords) && options.maxRecords > 0)) {
      throw new RangeError(`maxRecords must be at least 1, got ${options.maxRecords}`);
    }
    if (!(options.maxBytes > 0)) throw new RangeError(`maxBytes must be positive, got ${options.maxBytes}`);
    this.#maxRecords = options.maxRecords;
    this.#maxBytes = options.maxBytes;
  }

  /** Records and bytes in use or set aside. */
  get used(): Grant {
    return { records: this.#records, bytes: this.#bytes };
  }

  /**
   * Waits for room.
   *
   * @param wanted records, at least 1; the grant may be smaller.
   * @param recordBytes what a record is expected to take.
   */
  async acquire(wanted: number, recordBytes: number, signal: AbortSignal): Promise<Grant> {
    signal.throwIfAborted();
    const place = {};
    this.#line.push(place);
    try {
      for (;;) {
        const grant = this.#line[0] === place ? this.#grant(wanted, recordBytes) : undefined;
        if (grant !== undefined) {
          this.#records += grant.records;
          this.#bytes += grant.bytes;
          return grant;
        }
        await this.#changed.wait(signal);
      }
    } finally {
      this.#line.splice(this.#line.indexOf(place), 1);
      this.#changed.wake();
    }
  }

  /** Replaces what was set aside by what came. */
  settle(grant: Grant, records: number, bytes: number): void {
    this.#records += records - grant.records;
    this.#bytes += bytes - grant.bytes;
    this.#changed.wake();
  }

  /** Records were handed on, or thrown away. */
  release(records: number, bytes: number): void {
    this.#records -= records;
    this.#bytes -= bytes;
    this.#changed.wake();
  }

  #grant(wanted: number, recordBytes: number): Grant | undefined {
    const enough = Math.min(wanted, Math.ceil(this.#maxRecords / 2));
    const free = this.#maxRecords - this.#records;
    if (free < enough) return undefined;
    const affordable = Math.max(1, Math.floor(this.#maxBytes / 2 / recordBytes));
    // Those behind get their half before anyone gets more than that.
    const most = this.#line.length > 1 ? enough : Math.min(wanted, free);
    const records = Math.min(most, affordable);
    const bytes = Math.min(records * recordBytes, maxAnswerBytes, this.#maxBytes);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) return undefined;
    return { records, bytes };
  }
}
