import type { Delivery, OutgoingMessage } from "../publisher.ts";
import { BatchPayload } from "../wire/send-frame.ts";

/** One message on its way into a frame. */
export interface NumberedMessage {
  readonly message: OutgoingMessage;
  readonly sequenceId: number;
  /** Whether the caller chose the id. */
  readonly chosenId: boolean;
  readonly delivery: Delivery;
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
  chosenIds = false;

  constructor(start: {
    readonly first: OutgoingMessage;
    readonly firstId: number;
    readonly publishTime: number;
    readonly schemaVersion: Uint8Array;
    /** Bytes the batch will probably take. */
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

  add({ message, sequenceId, chosenId, delivery }: NumberedMessage): void {
    this.payload.add(message, sequenceId);
    this.deliveries.push(delivery);
    this.lastId = sequenceId;
    this.valueBytes += message.value.length;
    this.chosenIds ||= chosenId;
  }
}
