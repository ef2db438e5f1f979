import type { Clock, Logger, Meter, PartitionStatus, StartPosition } from "@pulsar-ts-io/core";

/** A record as the consumer delivers it. */
export interface KinesisRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  readonly shardId: string;
  readonly arrival: Date | undefined;
  readonly encryptionType: string | undefined;
  readonly millisBehindLatest: number | undefined;
  ack(): void;
  fail(error: Error): void;
}

export interface ConsumerHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  releasePartition(shardId: string): Promise<void>;
}

export interface ConsumerOptions {
  readonly streamName: string;
  readonly applicationName: string;
  readonly instanceId: string;
  readonly initialPosition: StartPosition;
  readonly retrieval: { readonly kind: "polling"; readonly idleMs: number };
  readonly checkpointIntervalMs: number;
  readonly backoffMs: number;
  readonly checkpointAttempts: number;
  readonly maxBufferedRecords: number;
  readonly maxBufferedBytes: number;
}

export interface Consumer {
  open(signal: AbortSignal): Promise<void>;
  read(signal: AbortSignal): Promise<KinesisRecord>;
  poll(): KinesisRecord | undefined;
  close(): Promise<void>;
  status(): readonly PartitionStatus[];
}
