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
  readonly #line: Waiter[] = [];
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
   * @throws the signal's reason when it aborts first.
   *
   * @param wanted records, at least 1; the grant may be smaller.
   * @param recordBytes what a record is expected to take.
   */
  acquire(wanted: number, recordBytes: number, signal: AbortSignal): Promise<Grant> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        this.#line.splice(this.#line.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve();
      };
      const serve = (grant: Grant) => {
        signal.removeEventListener("abort", onAbort);
        resolve(grant);
      };
      const waiter = { wanted, recordBytes, serve };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#line.push(waiter);
      this.#serve();
    });
  }

  /** Replaces what was set aside by what came. */
  settle(grant: Grant, records: number, bytes: number): void {
    this.#records += records - grant.records;
    this.#bytes += bytes - grant.bytes;
    this.#serve();
  }

  /** Records were handed on, or thrown away. */
  release(records: number, bytes: number): void {
    this.#records -= records;
    this.#bytes -= bytes;
    this.#serve();
  }

  /** Called for each record that is handed on: cheap while the first in line has to wait. */
  #serve(): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      const grant = this.#grant(first);
      if (grant === undefined) return;
      this.#line.shift();
      this.#records += grant.records;
      this.#bytes += grant.bytes;
      first.serve(grant);
    }
  }

  #grant({ wanted, recordBytes }: Waiter): Grant | undefined {
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

interface Waiter {
  readonly wanted: number;
  readonly recordBytes: number;
  readonly serve: (grant: Grant) => void;
}
