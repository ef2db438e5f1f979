import type { Clock } from "@pulsar-ts-io/core";
import { type Checkpoint, formatCheckpoint, subSequenceOf } from "../checkpoint.ts";
import type { LeaseProgress, UnsavedProgress } from "../lease/lease-coordinator.ts";
import type { AckWindow, SafePosition } from "./ack-window.ts";
import type { ShardNumbering } from "./shard-numbering.ts";

/** How long a checkpoint waits for the end of an aggregate. */
const longestInsideMs = 60_000;

/** What of a shard is acknowledged and not yet stored. */
export class ShardProgress implements LeaseProgress {
  readonly #window: AckWindow;
  readonly #clock: Clock;
  readonly #numbering: ShardNumbering | undefined;
  readonly #letGo: () => Promise<void>;
  readonly #throughput: () => number | undefined;
  #stored: SafePosition;
  #storedMs: number | undefined;
  /** Since when the acknowledged records end inside an aggregate, and no end of one before it is left to store. */
  #insideSinceMs: number | undefined;

  /**
   * @param options.letGo makes the host let go of the shard; does not reject.
   * @param options.throughput what is lately delivered, KiB a second, if anybody asks.
   */
  constructor(
    window: AckWindow,
    stored: Checkpoint,
    options: {
      readonly clock: Clock;
      readonly numbering: ShardNumbering | undefined;
      readonly letGo: () => Promise<void>;
      readonly throughput: () => number | undefined;
    },
  ) {
    this.#window = window;
    this.#stored = asText(stored);
    this.#clock = options.clock;
    this.#numbering = options.numbering;
    this.#letGo = options.letGo;
    this.#throughput = options.throughput;
  }

  /** Milliseconds since a checkpoint was stored by this worker; `undefined` before the first. */
  get ageMs(): number | undefined {
    return this.#storedMs === undefined ? undefined : this.#clock.monotonic() - this.#storedMs;
  }

  unsaved(): UnsavedProgress | undefined {
    if (this.#waitedInside()) this.#window.allowInside();
    const checkpoint = this.#window.isPast(this.#stored) ? this.#window.safe : undefined;
    if (checkpoint === undefined) return undefined;
    return { checkpoint, numbering: this.#numbering?.at(checkpoint, this.#window.safeDelivery) };
  }

  #waitedInside(): boolean {
    if (!this.#window.endsInside || this.#window.isPast(this.#stored)) {
      this.#insideSinceMs = undefined;
      return false;
    }
    const now = this.#clock.monotonic();
    this.#insideSinceMs ??= now;
    return now - this.#insideSinceMs >= longestInsideMs;
  }

  saved(checkpoint: Checkpoint): void {
    this.#stored = asText(checkpoint);
    this.#storedMs = this.#clock.monotonic();
  }

  throughputKBps(): number | undefined {
    return this.#throughput();
  }

  async settled(signal: AbortSignal): Promise<void> {
    while (this.#window.size > 0) await this.#window.advanced(signal);
  }

  async letGo(): Promise<void> {
    await this.#letGo();
  }
}

function asText(checkpoint: Checkpoint): SafePosition {
  return { sequenceNumber: formatCheckpoint(checkpoint), subSequenceNumber: subSequenceOf(checkpoint) };
}
