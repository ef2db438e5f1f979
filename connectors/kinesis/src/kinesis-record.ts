import type { SourceRecord } from "@pulsar-ts-io/core";
import type { KinesisRecord } from "./consumer-shape.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { instantText } from "./instant-text.ts";

/** What of a Kinesis record becomes key and properties of its message. The same for every record of a source. */
export interface RecordShape {
  readonly key: "partition-key" | "shard-id";
  /** In the order they are set in; each name once. */
  readonly properties: readonly string[];
}

/** Names and text forms of Java's connector. `undefined`: the record has no such value, and the message no such property. */
const propertyTexts = new Map<string, (record: KinesisRecord) => string | undefined>([
  ["kinesis.arrival.timestamp", ({ arrival }) => (arrival === undefined ? undefined : instantText(arrival))],
  ["kinesis.encryption.type", ({ encryptionType }) => encryptionType ?? "NONE"],
  ["kinesis.partition.key", ({ partitionKey }) => partitionKey],
  ["kinesis.sequence.number", ({ sequenceNumber }) => sequenceNumber],
  ["kinesis.shard.id", ({ shardId }) => shardId],
  ["kinesis.millis.behind.latest", ({ millisBehindLatest }) => String(millisBehindLatest ?? 0)],
]);

/** A list item that is no property's name asks for nothing, as in Java; the validator refuses it before. */
export function resolveRecordShape(
  options: Pick<KinesisSourceOptions, "kinesisRecordProperties" | "messageKeyMode">,
): RecordShape {
  const asked = options.kinesisRecordProperties.split(",").map((name) => name.trim());
  return {
    key: options.messageKeyMode === "SHARD_ID" ? "shard-id" : "partition-key",
    properties: [...new Set(asked)].filter((name) => propertyTexts.has(name)),
  };
}

/**
 * One Kinesis record as the host sees it.
 *
 * The value is the record's own bytes. Java's connector decodes them as UTF-8 and encodes them again, which damages whatever is not
 * text. The event time is the arrival time, which Java's connector does not set.
 *
 * @see KinesisRecord in apache/pulsar-connectors, kinesis
 */
export class KinesisSourceRecord implements SourceRecord {
  readonly #record: KinesisRecord;
  readonly #shape: RecordShape;

  constructor(record: KinesisRecord, shape: RecordShape) {
    this.#record = record;
    this.#shape = shape;
  }

  get value(): Uint8Array {
    return this.#record.data;
  }

  get key(): string {
    return this.#shape.key === "shard-id" ? this.#record.shardId : this.#record.partitionKey;
  }

  /** Made on each call: the publisher asks once. */
  get properties(): Readonly<Record<string, string>> {
    const properties: Record<string, string> = {};
    for (const name of this.#shape.properties) {
      const text = propertyTexts.get(name)?.(this.#record);
      if (text !== undefined) properties[name] = text;
    }
    return properties;
  }

  get eventTime(): number | undefined {
    return this.#record.arrival?.getTime();
  }

  get partitionId(): string {
    return this.#record.shardId;
  }

  ack(): void {
    this.#record.ack();
  }

  fail(error: Error): void {
    this.#record.fail(error);
  }
}
