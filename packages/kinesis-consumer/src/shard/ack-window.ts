import type { Checkpoint } from "../checkpoint.ts";
import { WakeUp } from "../wake-up.ts";

const endsRecordFlag = 1;
const ackedFlag = 2;

/**
 * Remembers which deliveries of one shard are acknowledged, and how far the checkpoint may move.
 *
 * A position is safe once it and everything delivered before it are acknowledged: the checkpoint never passes a record in
 * flight. Only the last user record of a Kinesis record makes a checkpoint of its own accord, because a Java successor may skip the
 * rest of an aggregate. Three arrays in a ring rather than an object for each delivery: there is one for each record.
 */
export class AckWindow {
  readonly #changed = new WakeUp();
  #sequenceNumbers: string[] = [];
  #subSequenceNumbers: number[] = [];
  #flags: number[] = [];
  #mask = -1;
  /** Ordinal of the oldest delivery that is not acknowledged, and of the next delivery. */
  #oldest = 0;
  #next = 0;
  #safeSequence: string | undefined;
  #safeSub = 0;
  #safeDelivery = 0;
  /** The newest delivery before the oldest that is not acknowledged. */
  #settledSequence: string | undefined;
  #settledSub = 0;
  #settledDelivery = 0;
  #closed = false;

  /** Deliveries from the oldest unacknowledged one on. */
  get size(): number {
    return this.#next - this.#oldest;
  }

  /** The ordinal of the oldest delivery that is not acknowledged. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The ordinal that the next delivery gets. */
  get next(): number {
    return this.#next;
  }

  /**
   * Registers a delivery, before anyone else can see the record.
   *
   * @param endsRecord whether no other user record of the same Kinesis record follows.
   * @returns the ordinal to acknowledge.
   */
  deliver(sequenceNumber: string, subSequenceNumber: number, endsRecord: boolean): number {
    if (this.size > this.#mask) this.#grow();
    const slot = this.#next & this.#mask;
    this.#sequenceNumbers[slot] = sequenceNumber;
    this.#subSequenceNumbers[slot] = subSequenceNumber;
    this.#flags[slot] = endsRecord ? endsRecordFlag : 0;
    this.#next += 1;
    return this.#next - 1;
  }

  /** Acknowledges a delivery. Harmless when repeated, and after {@link close}. */
  ack(ordinal: number): void {
    if (this.#closed || ordinal < this.#oldest) return;
    const slot = ordinal & this.#mask;
    this.#flags[slot] = (this.#flags[slot] ?? 0) | ackedFlag;
    if (ordinal === this.#oldest) this.#advance();
  }

  /** The checkpoint that may be stored, or `undefined` before the first. */
  get safe(): (Checkpoint & { readonly kind: "after" }) | undefined {
    if (this.#safeSequence === undefined) return undefined;
    return {
      kind: "after",
      sequenceNumber: BigInt(this.#safeSequence),
      subSequenceNumber: this.#safeSub,
    };
  }

  /** The ordinal of the delivery at {@link safe}. */
  get safeDelivery(): number {
    return this.#safeDelivery;
  }

  /** Whether more is acknowledged without a gap than {@link safe} says: the first user records of an aggregate. */
  get endsInside(): boolean {
    return this.#settledSequence !== this.#safeSequence || this.#settledSub !== this.#safeSub;
  }

  /** Makes the inside of an aggregate safe, as far as it is acknowledged. */
  allowInside(): void {
    this.#safeSequence = this.#settledSequence;
    this.#safeSub = this.#settledSub;
    this.#safeDelivery = this.#settledDelivery;
  }

  /** Whether {@link safe} is past what `sequenceNumber` and `subSequenceNumber`, as last stored, say. */
  isPast(stored: SafePosition): boolean {
    return (
      this.#safeSequence !== undefined &&
      (this.#safeSequence !== stored.sequenceNumber || this.#safeSub !== stored.subSequenceNumber)
    );
  }

  /** Waits until a record is acknowledged that nothing before it held back. */
  advanced(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal);
  }

  /** Forgets everything; later acknowledgements change nothing. */
  close(): void {
    this.#closed = true;
    this.#safeSequence = undefined;
    this.#settledSequence = undefined;
    this.#settledSub = this.#safeSub;
    this.#sequenceNumbers = [];
    this.#subSequenceNumbers = [];
    this.#flags = [];
  }

  #advance(): void {
    let oldest = this.#oldest;
    let last = 0;
    while (oldest < this.#next) {
      const slot = oldest & this.#mask;
      const flags = this.#flags[slot] ?? 0;
      if ((flags & ackedFlag) === 0) break;
      if ((flags & endsRecordFlag) !== 0) {
        this.#safeSequence = this.#sequenceNumbers[slot];
        this.#safeSub = this.#subSequenceNumbers[slot] ?? 0;
        this.#safeDelivery = oldest;
      }
      last = slot;
      oldest += 1;
    }
    this.#settledSequence = this.#sequenceNumbers[last];
    this.#settledSub = this.#subSequenceNumbers[last] ?? 0;
    this.#settledDelivery = oldest - 1;
    this.#oldest = oldest;
    this.#changed.wake();
  }

  #grow(): void {
    const capacity = Math.max(64, (this.#mask + 1) * 2);
    const sequenceNumbers = new Array<string>(capacity).fill("");
    const subSequenceNumbers = new Array<number>(capacity).fill(0);
    const flags = new Array<number>(capacity).fill(0);
    for (let ordinal = this.#oldest; ordinal < this.#next; ordinal += 1) {
      const from = ordinal & this.#mask;
      const to = ordinal & (capacity - 1);
      sequenceNumbers[to] = this.#sequenceNumbers[from] ?? "";
      subSequenceNumbers[to] = this.#subSequenceNumbers[from] ?? 0;
      flags[to] = this.#flags[from] ?? 0;
    }
    this.#sequenceNumbers = sequenceNumbers;
    this.#subSequenceNumbers = subSequenceNumbers;
    this.#flags = flags;
    this.#mask = capacity - 1;
  }
}

/** A position in the service's own text. */
export interface SafePosition {
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}
