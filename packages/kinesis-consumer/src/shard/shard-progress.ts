import { type Checkpoint, formatCheckpoint, subSequenceOf } from "../checkpoint.ts";
import type { LeaseProgress } from "../lease/lease-coordinator.ts";
import type { AckWindow, SafePosition } from "./ack-window.ts";

/** What of a shard is acknowledged and not yet stored. */
export class ShardProgress implements LeaseProgress {
  readonly #window: AckWindow;
  #stored: SafePosition;

  constructor(window: AckWindow, stored: Checkpoint) {
    this.#window = window;
    this.#stored = asText(stored);
  }

  unsaved(): Checkpoint | undefined {
    return this.#window.isPast(this.#stored) ? this.#window.safe : undefined;
  }

  saved(checkpoint: Checkpoint): void {
    this.#stored = asText(checkpoint);
  }
}

function asText(checkpoint: Checkpoint): SafePosition {
  return { sequenceNumber: formatCheckpoint(checkpoint), subSequenceNumber: subSequenceOf(checkpoint) };
}
