import type { ConnectorError } from "@pulsar-ts-io/core";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How many messages and bytes of a publisher may be unconfirmed, and who waits for room. */
export class PublishBudget {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;
  #final: ConnectorError | undefined;
  readonly #waiters = new Set<Waiter>();

  constructor(maxMessages: number, maxBytes: number) {
    if (!(maxMessages >= 1 && maxBytes >= 1)) {
      throw new RangeError(
        `a window needs room for a message and a byte, got ${maxMessages} and ${maxBytes}`,
      );
    }
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get full(): boolean {
    return this.#messages >= this.#maxMessages || this.#bytes >= this.#maxBytes;
  }

  get messages(): number {
    return this.#messages;
  }

  take(bytes: number): void {
    this.#messages += 1;
    this.#bytes += bytes;
  }

  release(messages: number, bytes: number): void {
    this.#messages -= messages;
    this.#bytes -= bytes;
    if (this.#waiters.size > 0 && !this.full) this.#settleWaiters((waiter) => waiter.resolve());
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
    });
  }

  #settleWaiters(act: (waiter: Waiter) => void): void {
    for (const waiter of [...this.#waiters]) act(waiter);
  }
}
