/**
 * One record on its way from a source to Pulsar. Mirrors `org.apache.pulsar.functions.api.Record`.
 *
 * Make it a class instance, not a bag of closures: there is one for each record.
 */
export interface SourceRecord {
  /** The payload, published byte for byte. Must not change until `ack()` or `fail()`. */
  readonly value: Uint8Array;
  /** The message key. Absent: the message has none. */
  readonly key?: string | undefined;
  readonly properties?: Readonly<Record<string, string>> | undefined;
  /** When the event happened, milliseconds since the epoch. */
  readonly eventTime?: number | undefined;
  /** Publishes this record there instead of to the configured topic. */
  readonly destinationTopic?: string | undefined;
  /**
   * The partition of the source this record came from; with `recordSequence`, what effectively-once needs: together they mean one
   * record, whatever the config of the source.
   *
   * The runtime names the producer after the source's full name and this id, or after this id alone if the manifest says
   * `partitionIds: global`: then no other source may have the same one.
   */
  readonly partitionId?: string | undefined;
  /** Position within `partitionId`, strictly increasing, 0 to 2^53 - 1. */
  readonly recordSequence?: bigint | undefined;
  /** The broker has the message. Safe to repeat. */
  ack(): void;
  /** The message can never be published. Absent: the runtime ends the instance with `error`. */
  fail?(error: Error): void;
}
