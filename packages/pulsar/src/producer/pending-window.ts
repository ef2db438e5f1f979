import type { Delivery } from "../publisher.ts";
import type { EncodedSend } from "../wire/send-frame.ts";

/** What lent the buffers that a frame's pieces lie in. */
interface Lender {
  /** Bytes of memory that they take. */
  readonly heldBytes: number;
  release(): void;
}

/** What is in a frame, as its sender sees it. */
export interface FrameContent {
  readonly sequenceId: number;
  /** Of a batch the id of its last message; of a single message its own. */
  readonly highestSequenceId: number;
  readonly deliveries: readonly Delivery[];
  /** Bytes of the values inside. */
  readonly valueBytes: number;
  /** Bytes of memory that the messages hold. */
  readonly heldBytes: number;
  /** Whether the caller chose one of the ids. */
  readonly chosenIds: boolean;
  /** `undefined`: the buffers are the frame's own, or the caller's. */
  readonly lender?: Lender | undefined;
}

/** One SEND that the broker has not confirmed, exactly as it was and will be written. */
export class PendingFrame {
  readonly pieces: readonly Uint8Array[];
  /** Metadata and payload, as the broker measures them. */
  readonly messageBytes: number;
  readonly sequenceId: number;
  readonly highestSequenceId: number;
  readonly deliveries: readonly Delivery[];
  readonly valueBytes: number;
  /** Bytes of memory that the messages and the frame itself hold until it is settled. */
  readonly heldBytes: number;
  readonly chosenIds: boolean;
  /** When it was formed, by the monotonic clock. */
  readonly formedAt: number;
  readonly #lender: Lender | undefined;
  /** How often it was written to a socket. */
  writes = 0;

  constructor(encoded: EncodedSend, content: FrameContent, formedAt: number) {
    this.pieces = encoded.pieces;
    this.messageBytes = encoded.messageBytes;
    this.sequenceId = content.sequenceId;
    this.highestSequenceId = content.highestSequenceId;
    this.deliveries = content.deliveries;
    this.valueBytes = content.valueBytes;
    const headBytes = encoded.pieces[0]?.length ?? 0;
    this.heldBytes = content.heldBytes + headBytes + (content.lender?.heldBytes ?? 0);
    this.chosenIds = content.chosenIds;
    this.#lender = content.lender;
    this.formedAt = formedAt;
  }

  /**
   * Has the buffers used again. To be called once the broker answered the frame: it has read all of it then, so that no socket
   * holds it any more. Of a frame that was written again another copy may still be on its way.
   */
  release(): void {
    if (this.writes === 1) this.#lender?.release();
  }
}

/** What a receipt means for the head of the window. */
export type ReceiptMatch =
  | { readonly kind: "confirmed"; readonly frame: PendingFrame }
  /** Answers a frame that was settled before. */
  | { readonly kind: "stale" }
  /** The broker skipped the head: only sending everything again makes that good. */
  | { readonly kind: "gap"; readonly expected: number | undefined };

/** The frames of one producer that are not confirmed yet, in the order of their ids. */
export class PendingWindow {
  /** Those before the head are gone: no slot keeps what is settled. */
  #frames: (PendingFrame | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#frames.length - this.#head;
  }

  push(frame: PendingFrame): void {
    this.#frames.push(frame);
  }

  /** Takes the head out when the receipt confirms it. */
  match(sequenceId: number, highestSequenceId: number): ReceiptMatch {
    const head = this.#frames[this.#head];
    if (head === undefined || sequenceId < head.sequenceId) return { kind: "stale" };
    const fits = highestSequenceId <= sequenceId || highestSequenceId === head.highestSequenceId;
    if (sequenceId > head.sequenceId || !fits) return { kind: "gap", expected: head.sequenceId };
    this.#shift();
    return { kind: "confirmed", frame: head };
  }

  /** Takes the frame of that lowest id out, wherever it is. */
  take(sequenceId: number): PendingFrame | undefined {
    const frame = this.frames().find((one) => one.sequenceId === sequenceId);
    if (frame !== undefined) this.remove(frame);
    return frame;
  }

  /** The frame whose highest id this is, wherever it is. */
  find(highestSequenceId: number): PendingFrame | undefined {
    return this.frames().find((frame) => frame.highestSequenceId === highestSequenceId);
  }

  remove(frame: PendingFrame): void {
    this.#frames = this.frames().filter((other) => other !== frame);
    this.#head = 0;
  }

  /** A copy, oldest first. */
  frames(): readonly PendingFrame[] {
    return this.#frames.slice(this.#head).filter((frame) => frame !== undefined);
  }

  /** Empties the window. @returns what was in it, oldest first. */
  drain(): readonly PendingFrame[] {
    const frames = this.frames();
    this.#frames = [];
    this.#head = 0;
    return frames;
  }

  /** The highest id in the window; `undefined` when it is empty. */
  get lastId(): number | undefined {
    return this.size === 0 ? undefined : this.#frames.at(-1)?.highestSequenceId;
  }

  /** The lowest id in the window; `undefined` when it is empty. */
  get firstId(): number | undefined {
    return this.#frames[this.#head]?.sequenceId;
  }

  /** When the oldest frame was formed; `undefined` when the window is empty. */
  get oldestSince(): number | undefined {
    return this.#frames[this.#head]?.formedAt;
  }

  #shift(): void {
    this.#frames[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#frames.length) {
      this.#frames = [];
      this.#head = 0;
    } else if (this.#head > 1_024 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
  }
}
