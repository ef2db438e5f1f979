/** Bytes that one call asks for at most: what a shard gives out in a second, and four calls a second are made. */
const maxAskedBytes = 2 * 1_024 * 1_024;
/** Records that a shard which had nothing left may bring beyond what is expected of it. */
const spareRecords = 64;
/** A reader that finds all room held by calls, and nothing waiting, gets this part of it. */
const smallPart = 16;

export interface ReadBudgetOptions {
  /** Records that may wait to be handed on; at least 1. */
  readonly maxRecords: number;
  /** Payload bytes that wait, or are expected of the calls under way. */
  readonly maxBytes: number;
}

/** Records and their payloads. */
interface Amount {
  readonly records: number;
  readonly bytes: number;
}

/** What a reader would like to ask its shard for. */
interface Wish {
  /** At least 1. */
  readonly wanted: number;
  /** What the call will probably bring, at most `wanted`: 0 for a shard with nothing left to read. */
  readonly expected: number;
  /** What a record is expected to take. */
  readonly recordBytes: number;
}

/** Permission for one call. */
export interface Grant {
  /** The call may bring so many records. */
  readonly records: number;
}

/** What a call under way holds, and how it began. */
interface Hold {
  readonly records: number;
  readonly bytes: number;
  /** How often the queue had run empty before. */
  readonly emptied: number;
}

/**
 * The room that the readers of all shards share: the one place that grants it, in records and in bytes. Readers that wait are
 * served in order.
 *
 * At most `maxRecords` wait in the queue. What a call brings beyond that waits beside it, one answer for each shard, and while any
 * does no call begins. What the calls under way are expected to bring is held against a window, so that they do not all come at
 * once to a host that is slow. The window is `maxRecords` to begin with. A call during which the queue ran empty widens it by what
 * it brought, because the host waits for the calls: the latency of one shard does not hold up the others. Any other call narrows
 * it again.
 *
 * A call brings half of `maxRecords` at most unless it is the only one, and up to 64 more than is expected of its shard. So with n
 * shards no more than `maxRecords`, n + 1 halves of it, and n times 64 are fetched and not handed on. Bytes are held for what is
 * expected: one answer may exceed what its call holds.
 */
export class ReadBudget {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #half: number;
  /** Readers that wait to call. */
  readonly #line: Attempt[] = [];
  /** Readers whose records are here and wait to join the queue. */
  readonly #beside: Attempt[] = [];
  readonly #underway = new Map<Grant, Hold>();
  #waitingRecords = 0;
  #waitingBytes = 0;
  /** Here, and not in the queue yet. */
  #besideRecords = 0;
  #besideBytes = 0;
  /** For the calls under way. */
  #heldRecords = 0;
  #heldBytes = 0;
  /** For what waits and what is held together. */
  #window: number;
  /** Whether a reader asked for more than the window had, since it was widened last. */
  #narrow = false;
  #emptied = 0;

  constructor(options: ReadBudgetOptions) {
    if (!(Number.isInteger(options.maxRecords) && options.maxRecords > 0)) {
      throw new RangeError(`maxRecords must be at least 1, got ${options.maxRecords}`);
    }
    if (!(options.maxBytes > 0)) throw new RangeError(`maxBytes must be positive, got ${options.maxBytes}`);
    this.#maxRecords = options.maxRecords;
    this.#maxBytes = options.maxBytes;
    this.#half = Math.ceil(options.maxRecords / 2);
    this.#window = options.maxRecords;
  }

  /** What is here, and what is held for the calls under way. */
  get used(): Amount {
    const records = this.#waitingRecords + this.#besideRecords + this.#heldRecords;
    return { records, bytes: this.#usedBytes };
  }

  /** How many records a call may ask for that is expected to bring `expected`, and then have nothing left. */
  withSpare(expected: number): number {
    return expected + Math.min(spareRecords, this.#maxRecords);
  }

  /**
   * Waits until a call may be made. Whoever gets the grant ends it with {@link admit} or {@link cancel}.
   *
   * @throws the signal's reason when it aborts first.
   */
  acquire(wish: Wish, signal: AbortSignal): Promise<Grant> {
    return this.#inLine(this.#line, () => this.#grant(wish), signal);
  }

  /** The call has brought nothing. Idempotent. */
  cancel(grant: Grant): void {
    this.#end(grant, 0);
    this.#serve();
  }

  /**
   * Waits until records that are here may join the queue. Their bytes count from the first moment.
   *
   * @param grant of the call that brought them; absent for an event of a subscription, whose records count in the queue only.
   * @throws the signal's reason when it aborts first: they are counted no more.
   */
  async admit(grant: Grant | undefined, came: Amount, signal: AbortSignal): Promise<void> {
    if (grant !== undefined) this.#end(grant, came.records);
    if (came.records === 0) {
      this.#serve();
      return;
    }
    const beside = grant === undefined ? { ...came, records: 0 } : came;
    this.#putBeside(beside, 1);
    try {
      await this.#inLine(this.#beside, () => this.#join(came, beside), signal);
    } catch (error) {
      this.#putBeside(beside, -1);
      this.#serve();
      throw error;
    }
  }

  /** What waits is something else than it was: aggregates were unpacked, or records were left out. */
  replace(before: Amount, after: Amount): void {
    this.#waitingRecords += after.records - before.records;
    this.#waitingBytes += after.bytes - before.bytes;
    this.#serve();
  }

  /** A record was handed on. Called for each: cheap while the first in line has to wait. */
  release(bytes: number): void {
    this.#waitingRecords -= 1;
    this.#waitingBytes -= bytes;
    if (this.#waitingRecords === 0) this.#emptied += 1;
    this.#serve();
  }

  /** Records that waited were thrown away. */
  discard(amount: Amount): void {
    this.#waitingRecords -= amount.records;
    this.#waitingBytes -= amount.bytes;
    this.#serve();
  }

  get #usedBytes(): number {
    return this.#waitingBytes + this.#besideBytes + this.#heldBytes;
  }

  /** Gives back what a call held, and widens or narrows the window by what it brought. */
  #end(grant: Grant, records: number): void {
    const hold = this.#underway.get(grant);
    if (hold === undefined) return;
    this.#underway.delete(grant);
    this.#heldRecords -= hold.records;
    this.#heldBytes -= hold.bytes;
    const hostWaited = this.#waitingRecords === 0 || hold.emptied !== this.#emptied;
    if (!hostWaited) this.#window = Math.max(this.#maxRecords, this.#window - records);
    else if (this.#narrow) this.#window += records;
    if (hostWaited) this.#narrow = false;
  }

  #inLine<T>(line: Attempt[], attempt: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        line.splice(line.indexOf(waiter), 1);
        reject(signal.reason);
        this.#serve();
      };
      const waiter = () => {
        const result = attempt();
        if (result === undefined) return false;
        signal.removeEventListener("abort", onAbort);
        resolve(result);
        return true;
      };
      signal.addEventListener("abort", onAbort, { once: true });
      line.push(waiter);
      this.#serve();
    });
  }

  #serve(): void {
    serve(this.#beside);
    serve(this.#line);
  }

  #join({ records, bytes }: Amount, beside: Amount): true | undefined {
    const fits =
      this.#waitingRecords + records <= this.#maxRecords && this.#waitingBytes + bytes <= this.#maxBytes;
    if (this.#waitingRecords > 0 && !fits) return undefined;
    this.#putBeside(beside, -1);
    this.#waitingRecords += records;
    this.#waitingBytes += bytes;
    return true;
  }

  #putBeside({ records, bytes }: Amount, sign: 1 | -1): void {
    this.#besideRecords += sign * records;
    this.#besideBytes += sign * bytes;
  }

  #grant(wish: Wish): Grant | undefined {
    if (this.#waitingRecords >= this.#maxRecords || this.#beside.length > 0) return undefined;
    const freeBytes = this.#maxBytes - this.#usedBytes;
    if (this.#usedBytes > 0 && freeBytes < wish.recordBytes) return undefined;
    // Readers with a call under way or waiting for one, this one included.
    const rivals = this.#underway.size + this.#line.length;
    const askedBytes = Math.min(maxAskedBytes, this.#maxBytes / 2 / rivals, freeBytes / 2);
    const affordable = Math.max(1, Math.floor(askedBytes / wish.recordBytes));
    const wanted = Math.min(wish.wanted, affordable);
    const most = rivals > 1 ? this.#half : this.#maxRecords;
    const expected = Math.min(wish.expected, wanted, most);
    const room = this.#window - this.#waitingRecords - this.#besideRecords - this.#heldRecords;
    const records = Math.min(wanted, this.#maxRecords, expected + wish.wanted - wish.expected);
    if (room >= expected) return this.#begin(records, expected, wish);
    this.#narrow = true;
    // Asking for little and often would use up the five calls a second of a shard.
    if (room >= this.#half) return this.#begin(Math.min(records, room), room, wish);
    if (this.#waitingRecords > 0) return undefined;
    const little = Math.min(records, Math.max(Math.ceil(this.#maxRecords / smallPart), Math.floor(room / 2)));
    return this.#begin(little, Math.min(little, expected), wish);
  }

  #begin(records: number, held: number, { recordBytes }: Wish): Grant {
    // At least one record, also of a shard that had nothing left.
    const bytes = Math.min(Math.max(1, held) * recordBytes, this.#maxBytes);
    const grant: Grant = { records };
    const emptied = this.#waitingRecords === 0 ? this.#emptied - 1 : this.#emptied;
    this.#underway.set(grant, { records: held, bytes, emptied });
    this.#heldRecords += held;
    this.#heldBytes += bytes;
    return grant;
  }
}

/** @returns whether it has succeeded. */
type Attempt = () => boolean;

function serve(line: Attempt[]): void {
  for (let first = line[0]; first?.() === true; first = line[0]) line.shift();
}
