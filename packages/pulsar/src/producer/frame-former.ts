import type { Clock } from "@pulsar-ts-io/core";
import type { Codec } from "../compression.ts";
import type { BatchingOptions, Delivery } from "../publisher.ts";
import {
  batchedSize,
  type CompressedAs,
  type EncodedSend,
  encodeBatch,
  encodeSingle,
} from "../wire/send-frame.ts";
import type { Batch, NumberedMessage } from "./batch.ts";
import { type CompressedPayload, compressPayload } from "./frame-compressor.ts";
import { OpenBatches } from "./open-batches.ts";
import { type FrameContent, PendingFrame } from "./pending-window.ts";

/** What a frame says about its producer; known once the producer was opened. */
export interface ProducerFacts {
  readonly producerId: number;
  readonly producerName: string;
  /** Empty when the topic has no schema. */
  readonly schemaVersion: Uint8Array;
  readonly maxMessageBytes: number;
}

export interface FrameFormerOptions {
  readonly codec: Codec | undefined;
  readonly batching: BatchingOptions | undefined;
  readonly clock: Clock;
  /** Takes each frame that is formed, in ascending order of ids. */
  readonly emit: (frame: PendingFrame) => void;
  /** Called with the bytes of memory that frames and batches take beside their messages, and negative when they take less. */
  readonly onHeld: (bytes: number) => void;
  /** Called when a message starts to wait for others. */
  readonly onBatchStarted: () => void;
}

/** Forms frames of messages: batches where that is allowed, single messages elsewhere. Frames leave in the order of their ids. */
export class FrameFormer {
  readonly #options: FrameFormerOptions;
  #facts: ProducerFacts = {
    producerId: 0,
    producerName: "",
    schemaVersion: new Uint8Array(0),
    maxMessageBytes: 0,
  };
  #open: OpenBatches | undefined;
  #lastGatheredBytes = 1_024;

  constructor(options: FrameFormerOptions) {
    this.#options = options;
  }

  /** What frames formed from now on say about their producer. */
  describe(facts: ProducerFacts): void {
    this.#facts = facts;
  }

  /** Monotonic time at which the open batch was started; `undefined` when there is none. */
  get waitingSince(): number | undefined {
    return this.#open?.startedAt;
  }

  /** @param mayBatch whether the message may share a frame with others. */
  add(entry: NumberedMessage, mayBatch: boolean): void {
    const { batching } = this.#options;
    const size = batching === undefined ? 0 : batchedSize(entry.message);
    const maxBytes = this.#maxBatchBytes();
    if (batching === undefined || !mayBatch || size > maxBytes) {
      this.flush();
      this.#emitSingle(entry);
      return;
    }
    if (this.#open !== undefined && !this.#fits(this.#open, size, maxBytes)) this.flush();
    const open = this.#open ?? this.#start(batching);
    this.#options.onHeld(open.add(entry));
    if (open.count >= batching.maxMessages || open.bytes >= maxBytes) this.flush();
  }

  /** Sends what waits to be batched. */
  flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#lastGatheredBytes = open.gatheredBytes + 1_024;
    // Each frame counts its own part, which compression makes smaller.
    this.#options.onHeld(-open.gatheredBytes);
    for (const batch of open.batches()) this.#send(batch);
  }

  #send(batch: Batch): void {
    const [delivery] = batch.deliveries;
    if (batch.count === 1 && delivery !== undefined) {
      const { first: message, firstId: sequenceId, chosenIds: chosenId, heldBytes } = batch;
      batch.payload.release();
      this.#emitSingle({ message, sequenceId, chosenId, delivery, heldBytes });
    } else this.#emitBatch(batch);
  }

  /** Takes the open batches apart. @returns the deliveries of their messages, and the bytes that they held. */
  discard(): { readonly deliveries: readonly Delivery[]; readonly heldBytes: number } {
    const open = this.#open;
    this.#open = undefined;
    const batches = open?.batches() ?? [];
    return {
      deliveries: batches.flatMap((batch) => batch.deliveries),
      heldBytes: batches.reduce((sum, batch) => sum + batch.heldBytes, open?.gatheredBytes ?? 0),
    };
  }

  #fits(open: OpenBatches, size: number, maxBytes: number): boolean {
    return open.bytes + size <= maxBytes && open.schemaVersion === this.#facts.schemaVersion;
  }

  /** Half of the broker's limit leaves room for the first message's key, which goes into the batch's own metadata again. */
  #maxBatchBytes(): number {
    const { batching } = this.#options;
    return Math.min(batching?.maxBytes ?? 0, Math.floor(this.#facts.maxMessageBytes / 2) - 1_024);
  }

  #start({ byKey = false }: BatchingOptions): OpenBatches {
    const { clock, onBatchStarted } = this.#options;
    const open = new OpenBatches({
      byKey,
      publishTime: clock.now(),
      startedAt: clock.monotonic(),
      schemaVersion: this.#facts.schemaVersion,
      capacity: byKey ? 1_024 : this.#lastGatheredBytes,
    });
    this.#open = open;
    onBatchStarted();
    return open;
  }

  #emitSingle(entry: NumberedMessage): void {
    const { message, sequenceId } = entry;
    const { clock } = this.#options;
    const compressed = this.#compress([message.value], message.value.length);
    const { producerId, producerName, schemaVersion } = this.#facts;
    const header = { producerId, producerName, sequenceId, publishTime: clock.now(), schemaVersion };
    const encoded = encodeSingle(
      { ...header, compressed: this.#compressedAs(compressed, message.value.length) },
      message,
      compressed?.bytes ?? message.value,
    );
    this.#emit(encoded, {
      sequenceId,
      highestSequenceId: sequenceId,
      deliveries: [entry.delivery],
      valueBytes: message.value.length,
      heldBytes: entry.heldBytes,
      chosenIds: entry.chosenId,
      lender: compressed,
    });
  }

  #emitBatch(batch: Batch): void {
    const { lastId: highestSequenceId, publishTime, schemaVersion } = batch;
    // The ranges of batches by key overlap: the last id alone rises from each to the next.
    const sequenceId = this.#options.batching?.byKey === true ? highestSequenceId : batch.firstId;
    const pieces = batch.payload.pieces();
    const compressed = this.#compress(pieces, batch.bytes);
    const { producerId, producerName } = this.#facts;
    const encoded = encodeBatch(
      {
        producerId,
        producerName,
        sequenceId,
        highestSequenceId,
        messageCount: batch.count,
        publishTime,
        schemaVersion,
        compressed: this.#compressedAs(compressed, batch.bytes),
        first: batch.first,
      },
      compressed === undefined ? pieces : [compressed.bytes],
    );
    const { deliveries, valueBytes, heldBytes, chosenIds } = batch;
    if (compressed !== undefined) batch.payload.release();
    const lender = compressed ?? batch.payload;
    this.#emit(encoded, {
      sequenceId,
      highestSequenceId,
      deliveries,
      valueBytes,
      heldBytes,
      chosenIds,
      lender,
    });
  }

  #emit(encoded: EncodedSend, content: FrameContent): void {
    const { clock, emit, onHeld } = this.#options;
    const frame = new PendingFrame(encoded, content, clock.monotonic());
    onHeld(frame.heldBytes - content.heldBytes);
    emit(frame);
  }

  #compress(pieces: readonly Uint8Array[], bytes: number): CompressedPayload | undefined {
    const { codec } = this.#options;
    return codec === undefined ? undefined : compressPayload(codec, pieces, bytes);
  }

  #compressedAs(payload: CompressedPayload | undefined, uncompressedBytes: number): CompressedAs | undefined {
    const { codec } = this.#options;
    return codec === undefined || payload === undefined ? undefined : { type: codec.type, uncompressedBytes };
  }
}
