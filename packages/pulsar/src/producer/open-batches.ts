import type { OutgoingMessage } from "../publisher.ts";
import { Batch, type NumberedMessage } from "./batch.ts";

/** What the batches that are open at one time have in common. */
export interface OpenBatchesStart {
  /** One batch for each key, so that a Key_Shared subscription can hand each to one consumer. */
  readonly byKey: boolean;
  /** Wall time of the first message, which is the batches' publish time. */
  readonly publishTime: number;
  /** Monotonic time of the first message. */
  readonly startedAt: number;
  readonly schemaVersion: Uint8Array;
  /** Bytes that one batch will probably gather. */
  readonly capacity: number;
}

/** The messages that wait to leave together: one batch, or one for each key. */
export class OpenBatches {
  readonly #start: OpenBatchesStart;
  readonly #batches = new Map<string, Batch>();
  #count = 0;
  #bytes = 0;
  #gatheredBytes = 0;

  constructor(start: OpenBatchesStart) {
    this.#start = start;
  }

  get startedAt(): number {
    return this.#start.startedAt;
  }

  get schemaVersion(): Uint8Array {
    return this.#start.schemaVersion;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Those of {@link bytes} that are copies: metadata, and small values. */
  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  /** @returns by how many bytes {@link gatheredBytes} grew. */
  add(entry: NumberedMessage): number {
    const group = this.#start.byKey ? groupOf(entry.message) : "";
    const batch = this.#batches.get(group) ?? this.#open(group, entry);
    const { bytes, gatheredBytes } = batch.payload;
    batch.add(entry);
    this.#count += 1;
    this.#bytes += batch.bytes - bytes;
    const gathered = batch.payload.gatheredBytes - gatheredBytes;
    this.#gatheredBytes += gathered;
    return gathered;
  }

  /** In the ascending order of their last ids, which is the order in which they must leave. */
  batches(): readonly Batch[] {
    return [...this.#batches.values()].sort((one, other) => one.lastId - other.lastId);
  }

  #open(group: string, { message, sequenceId }: NumberedMessage): Batch {
    const { publishTime, schemaVersion, capacity } = this.#start;
    const batch = new Batch({ first: message, firstId: sequenceId, publishTime, schemaVersion, capacity });
    this.#batches.set(group, batch);
    return batch;
  }
}

/** As in Java the ordering key outranks the key, and all that have neither are together. */
function groupOf({ key, orderingKey }: OutgoingMessage): string {
  if (orderingKey !== undefined) return `o${Buffer.from(orderingKey).toString("base64")}`;
  if (key === undefined) return "";
  return typeof key === "string" ? `k${key}` : `b${Buffer.from(key).toString("base64")}`;
}
