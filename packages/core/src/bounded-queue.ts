interface Waiter {
  readonly resolve: () => void;
}

/**
 * A queue between one who produces and one who asks, bounded by a count of items.
 *
 * `put` waits while the queue is full, `take` while it is empty. Each side may have many callers; both are served in order.
 */
export class BoundedQueue<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #head = 0;
  readonly #takers: Waiter[] = [];
  readonly #putters: Waiter[] = [];

  constructor(capacity: number) {
    if (!(Number.isInteger(capacity) && capacity > 0))
      throw new RangeError(`capacity must be at least 1, got ${capacity}`);
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** @throws the signal's reason when it is aborted before there is room. */
  async put(item: T, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.size >= this.#capacity) await wait(this.#putters, signal);
    this.#items.push(item);
    this.#takers.shift()?.resolve();
  }

  /** @throws the signal's reason when it is aborted before there is an item. */
  async take(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    while (this.size === 0) await wait(this.#takers, signal);
    const item = this.#items[this.#head] as T; // size > 0: the slot is filled
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    } else if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    }
    this.#putters.shift()?.resolve();
    return item;
  }
}

function wait(line: Waiter[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const waiter: Waiter = {
      resolve: () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      },
    };
    const onAbort = () => {
      const place = line.indexOf(waiter);
      if (place >= 0) line.splice(place, 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    line.push(waiter);
  });
}
