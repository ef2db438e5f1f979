import type { ConnectorError } from "@pulsar-ts-io/core";
import { MemoryLimit } from "./memory-limit.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How many messages and bytes of a publisher may be unconfirmed, and who waits for room. */
export class PublishBudget {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  readonly #memory: MemoryLimit;
  #messages = 0;
  #bytes = 0;
  #final: ConnectorError | undefined;
  readonly #waiters = new Set<Waiter>();

  /** @param memory what this publisher shares with others; default nothing. */
  constructor(maxMessages: number, maxBytes: number, memory: MemoryLimit = new MemoryLimit(0)) {
    if (!(maxMessages >= 1 && maxBytes >= 1)) {
      throw new RangeError(
        `a window needs room for a message and a byte, got ${maxMessages} and ${maxBytes}`,
      );
    }
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
    this.#memory = memory;
  }

  get full(): boolean {
    return this.#messages >= this.#maxMessages || this.#bytes >= this.#maxBytes || this.#memory.full;
  }

  get messages(): number {
    return this.#messages;
  }

  take(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
    this.#memory.take(bytes);
  }

  /** Counts bytes beside those of {@link take}; negative: they are not held any more. {@link release} gives them back. */
  hold(bytes: number): void {
    if (bytes < 0) {
      this.release(0, -bytes);
      return;
    }
    this.#bytes += bytes;
    this.#memory.take(bytes);
  }

  /** @param bytes of {@link take} and {@link hold} together. */
  release(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    this.#memory.release(bytes);
    this.#wake();
  }

  /** Nothing can be published any more: whoever waits for room, now or later, learns why. */
  end(error: ConnectorError): void {
    this.#final ??= error;
    this.#settleWaiters((waiter) => waiter.reject(this.#final));
  }

  async room(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#final !== undefined) throw this.#final;
    if (!this.full) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#memory.unwatch(this.#wake);
        signal.removeEventListener("abort", onAbort);
        act();
      };
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      const onAbort = () => waiter.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#memory.watch(this.#wake);
    });
  }

  readonly #wake = (): void => {
    if (this.#waiters.size > 0 && !this.full) this.#settleWaiters((waiter) => waiter.resolve());
  };

  #settleWaiters(act: (waiter: Waiter) => void): void {
    for (const waiter of [...this.#waiters]) act(waiter);
  }
}
