import type { SourceRecord } from "@pulsar-ts-io/core";
import type { Publisher } from "@pulsar-ts-io/pulsar";

/** An open publisher, as the way of a record uses it. */
export interface OpenPublisher {
  readonly topic: string;
  readonly publisher: Publisher;
  /** Records that are sent and not settled. */
  inFlight: number;
  /** Whether its partition was released: it is closed, and what comes for it is given up. */
  readonly released: boolean;
}

/** The publishers of one instance: which one takes a record, and when each is opened and closed. */
export interface Publishers {
  /** Proves before anything is read that `topic` can be published to as the guarantee demands. @throws why not. */
  prepare(topic: string, signal: AbortSignal): Promise<void>;
  /** The open publisher that takes `record` to `topic`; `undefined`: {@link open} it. */
  find(topic: string, record: SourceRecord): OpenPublisher | undefined;
  /**
   * Opens the publisher that takes `record` to `topic`. One call at a time.
   *
   * @returns `undefined` when the record's partition was released meanwhile: the record is given up, whoever has the partition
   *   now reads it again.
   */
  open(topic: string, record: SourceRecord, signal: AbortSignal): Promise<OpenPublisher | undefined>;
  /** Closes what belongs to one partition, at once: what it has not confirmed is given up. */
  release(partitionId: string): Promise<void>;
  /** Closes what has not been used for long, until `signal` aborts. */
  sweep(signal: AbortSignal): Promise<void>;
  /** Waits until everything sent is settled. */
  flush(signal: AbortSignal): Promise<void>;
  /** Closes all of them, the first failure last. */
  close(): Promise<void>;
}
