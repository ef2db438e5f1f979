import type { Delivery, OutgoingMessage } from "../publisher.ts";
import { BatchPayload } from "../wire/send-frame.ts";

/** One message on its way into a frame. */
export interface NumberedMessage {
  readonly message: OutgoingMessage;
  readonly sequenceId: number;
  /** Whether the caller chose the id. */
  readonly chosenId: boolean;
  readonly delivery: Delivery;
  /** Bytes of memory that the message holds until it is settled, whatever frame it goes into. */
  readonly heldBytes: number;
}

/** Messages that wait to leave together. Of a batch of one only the message counts. */
export class Batch {
  readonly payload: BatchPayload;
  readonly first: OutgoingMessage;
  readonly firstId: number;
  /** Wall time of the first message, which is the batch's publish time. */
  readonly publishTime: number;
  readonly schemaVersion: Uint8Array;
  readonly deliveries: Delivery[] = [];
  lastId: number;
  valueBytes = 0;
  /** Bytes of memory that its messages hold. */
  heldBytes = 0;
  chosenIds = false;

  constructor(start: {
    readonly first: OutgoingMessage;
    readonly firstId: number;
    readonly publishTime: number;
    readonly schemaVersion: Uint8Array;
    /** Bytes that will probably be gathered. */
    readonly capacity: number;
  }) {
    this.first = start.first;
    this.firstId = start.firstId;
    this.lastId = start.firstId;
    this.publishTime = start.publishTime;
    this.schemaVersion = start.schemaVersion;
    this.payload = new BatchPayload(start.capacity);
  }

  get count(): number {
    return this.deliveries.length;
  }

  get bytes(): number {
    return this.payload.bytes;
  }

  add({ message, sequenceId, chosenId, delivery, heldBytes }: NumberedMessage): void {
    this.payload.add(message, sequenceId);
    this.deliveries.push(delivery);
    this.lastId = sequenceId;
    this.valueBytes += message.value.length;
    this.heldBytes += heldBytes;
    this.chosenIds ||= chosenId;
  }
}
