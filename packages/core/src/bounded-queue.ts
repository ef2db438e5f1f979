/** Someone in line: served in order, or gone when its signal aborts. */
interface Waiter<V> {
  serve(value: V): void;
}

interface WaitingPut<T> extends Waiter<void> {
  readonly item: T;
}

/**
 * A queue between those who produce and those who ask, bounded by a count of items.
 *
 * `put` waits while the queue is full, `take` while it is empty. Items and callers are served in order: a newcomer
 * never overtakes one who waits.
 */
export class BoundedQueue<T> {
  readonly #capacity: number;
  /** Those before the head are taken: no slot keeps them. */
  #items: (T | undefined)[] = [];
  #head = 0;
  readonly #takers: Waiter<T>[] = [];
  readonly #putters: WaitingPut<T>[] = [];

  /** @param capacity items that may wait, at least 1. */
  constructor(capacity: number) {
    if (!(Number.isInteger(capacity) && capacity > 0)) {
      throw new RangeError(`capacity must be at least 1, got ${capacity}`);
    }
    this.#capacity = capacity;
  }

  /** Items that can be taken without waiting. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** @throws the signal's reason when it is aborted before there is room; the item is then not in the queue. */
  put(item: T, signal: AbortSignal): Promise<void> {
    const taker = signal.aborted ? undefined : this.#takers.shift();
    if (taker !== undefined) {
      taker.serve(item);
      return Promise.resolve();
    }
    if (!signal.aborted && this.size < this.#capacity) {
      this.#items.push(item);
      return Promise.resolve();
    }
    return wait<void, WaitingPut<T>>(this.#putters, signal, (serve) => ({ item, serve }));
  }

  /** @throws the signal's reason when it is aborted before there is an item; no item is lost to it. */
  take(signal: AbortSignal): Promise<T> {
    if (signal.aborted || this.size === 0)
      return wait<T, Waiter<T>>(this.#takers, signal, (serve) => ({ serve }));
    const item = this.#items[this.#head] as T; // size > 0: the slot is filled
    this.#items[this.#head] = undefined;
    this.#head += 1;
    const putter = this.#putters.shift();
    if (putter !== undefined) {
      this.#items.push(putter.item);
      putter.serve();
    }
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > this.#capacity) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return Promise.resolve(item);
  }
}

function wait<V, W extends Waiter<V>>(
  line: W[],
  signal: AbortSignal,
  join: (serve: (value: V) => void) => W,
): Promise<V> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const waiter = join((value) => {
      signal.removeEventListener("abort", onAbort);
      resolve(value);
    });
    const onAbort = () => {
      line.splice(line.indexOf(waiter), 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    line.push(waiter);
  });
}
