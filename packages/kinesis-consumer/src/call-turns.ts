/**
 * Lets calls begin in the order in which they came, at the end of a turn of the event loop and a bounded number in each.
 *
 * The SDK computes for up to a millisecond before it sends a request. When a thousand readers are due together, their requests
 * would hold up renewals and takes of leases, and each would open a connection of its own. Calls that begin together also cost less
 * CPU than calls that begin one by one. A process with time to spare turns so often that no call waits, however long calls take.
 */
export class CallTurns {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];

  /** @param perTurn calls that begin in one turn, at least 1. */
  constructor(perTurn: number) {
    if (!(Number.isInteger(perTurn) && perTurn > 0)) {
      throw new RangeError(`perTurn must be at least 1, got ${perTurn}`);
    }
    this.#perTurn = perTurn;
  }

  /** Waits until a call may begin. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#endTurn());
    });
  }

  #endTurn(): void {
    for (const begin of this.#waiting.splice(0, this.#perTurn)) begin();
    if (this.#waiting.length > 0) setImmediate(() => this.#endTurn());
  }
}
