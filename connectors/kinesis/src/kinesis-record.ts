import type { SourceRecord } from "@pulsar-ts-io/core";
import type { KinesisRecord } from "@pulsar-ts-io/kinesis-consumer";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { instantText } from "./instant-text.ts";

/** A record of the consumer, as far as a message is made of it. */
export type DeliveredRecord = Pick<
  KinesisRecord,
  | "data"
  | "partitionKey"
  | "sequenceNumber"
  | "shardId"
  | "arrival"
  | "encryptionType"
  | "millisBehindLatest"
  | "partitionId"
  | "recordSequence"
  | "ack"
>;

/** What of a Kinesis record becomes key and properties of its message. The same for every record of a source. */
export interface RecordShape {
  readonly key: "partition-key" | "shard-id";
  /** In the order they are set in; each name once. */
  readonly properties: readonly MessageProperty[];
}

interface MessageProperty {
  readonly name: string;
  /** `undefined`: the record has no such value, and the message no such property. */
  text(record: DeliveredRecord): string | undefined;
}

/** Names and text forms of Java's connector. */
const messageProperties: readonly MessageProperty[] = [
  {
    name: "kinesis.arrival.timestamp",
    text: ({ arrival }) => (arrival === undefined ? undefined : instantText(arrival)),
  },
  { name: "kinesis.encryption.type", text: ({ encryptionType }) => encryptionType },
  { name: "kinesis.partition.key", text: ({ partitionKey }) => partitionKey },
  { name: "kinesis.sequence.number", text: ({ sequenceNumber }) => sequenceNumber },
  { name: "kinesis.shard.id", text: ({ shardId }) => shardId },
  { name: "kinesis.millis.behind.latest", text: ({ millisBehindLatest }) => String(millisBehindLatest) },
];

/** A list item that is no property's name asks for nothing, as in Java; the validator refuses it before. */
export function resolveRecordShape(
  options: Pick<KinesisSourceOptions, "kinesisRecordProperties" | "messageKeyMode">,
): RecordShape {
  const asked = new Set(options.kinesisRecordProperties.split(",").map((name) => name.trim()));
  return {
    key: options.messageKeyMode === "SHARD_ID" ? "shard-id" : "partition-key",
    properties: messageProperties.filter(({ name }) => asked.has(name)),
  };
}

/**
 * One Kinesis record as the host sees it.
 *
 * The value is the record's own bytes. Java's connector decodes them as UTF-8 and encodes them again, which damages whatever is not
 * text. The event time is the arrival time, which Java's connector does not set. It has no `fail`: a record that can never be
 * published ends the instance, as its shard's checkpoint may not pass it.
 *
 * @see KinesisRecord in apache/pulsar-connectors, kinesis
 */
export class KinesisSourceRecord implements SourceRecord {
  readonly #record: DeliveredRecord;
  readonly #shape: RecordShape;
  #properties: Readonly<Record<string, string>> | undefined;

  constructor(record: DeliveredRecord, shape: RecordShape) {
    this.#record = record;
    this.#shape = shape;
  }

  get value(): Uint8Array {
    return this.#record.data;
  }

  get key(): string {
    return this.#shape.key === "shard-id" ? this.#record.shardId : this.#record.partitionKey;
  }

  /** Made when they are first asked for, and kept: a publisher measures them before it writes them. */
  get properties(): Readonly<Record<string, string>> {
    this.#properties ??= propertiesOf(this.#record, this.#shape);
    return this.#properties;
  }

  get eventTime(): number | undefined {
    return this.#record.arrival?.getTime();
  }

  get partitionId(): string {
    return this.#record.partitionId;
  }

  get recordSequence(): bigint | undefined {
    return this.#record.recordSequence;
  }

  ack(): void {
    this.#record.ack();
  }
}

function propertiesOf(record: DeliveredRecord, shape: RecordShape): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const property of shape.properties) {
    const text = property.text(record);
    if (text !== undefined) properties[property.name] = text;
  }
  return properties;
}
