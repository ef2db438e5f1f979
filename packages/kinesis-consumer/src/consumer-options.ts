import type { Clock, Logger, Meter, StartPosition, Troubles } from "@pulsar-ts-io/core";
import type { MetricsLevel } from "./metrics/metric-sink.ts";

/** KCL's. */
export const defaultFailoverMs = 10_000;

interface PollingRetrieval {
  readonly kind: "polling";
  /** Between calls for a shard with nothing left to read, milliseconds; 200 at least. */
  readonly idleMs: number;
}

export interface ConsumerOptions {
  readonly streamName: string;
  /** Names the lease table: workers with the same name share the stream. */
  readonly applicationName: string;
  /** Stable name of this instance: prefix of the worker id, and whose leases are adopted at the start. */
  readonly instanceId: string;
  /** Where a shard starts that nobody has read yet. */
  readonly initialPosition: StartPosition;
  readonly retrieval:
    | PollingRetrieval
    | {
        readonly kind: "fan-out";
        /** Registered when there is none of that name; the application's name, for KCL. */
        readonly consumerName: string;
        /** Read like this, with one warning, when the consumer cannot be registered. Absent: `open` throws. */
        readonly fallback?: PollingRetrieval | undefined;
      };
  /** What becomes of the aggregates of the Kinesis Producer Library. */
  readonly aggregates: AggregateHandling;
  /**
   * Whether records are numbered, so that what was published twice can be told from what was not: the numbers are kept on the lease
   * rows, in the write of the checkpoint. Default false.
   */
  readonly numberRecords?: boolean;
  /** Longest time between two checkpoints of a shard, milliseconds. One rides on each renewal anyway, every 3.3 s. */
  readonly checkpointIntervalMs: number;
  /** Longest pause after a throttled read or checkpoint, milliseconds. */
  readonly backoffMs: number;
  /** Attempts of a checkpoint before its failure is reported; it is tried again with the next renewal. At least 1. */
  readonly checkpointAttempts: number;
  /** Records that wait in the queue to be read, over all shards; at least 1. See ReadBudget for what may wait beside it. */
  readonly maxBufferedRecords: number;
  /** Payload bytes that wait to be read, or are expected of the calls under way; one answer may exceed what was expected. */
  readonly maxBufferedBytes: number;
  /** How long a lease lasts after its last renewal, milliseconds; the same for all workers of the table. Default 10 000, KCL's. */
  readonly failoverMs?: number;
  /** What becomes of leases that a deleted stream of the same name has left. Default fail. */
  readonly onStreamRecreated?: StreamRecreation;
  /** What is told of the metrics that KCL has; without somewhere to send them, none are. Default DETAILED, KCL's. */
  readonly metricsLevel?: MetricsLevel;
}

export type StreamRecreation =
  /** They are left alone: an error says so. */
  | "fail"
  /** They make room for those of the new stream, which is read from the initial position; at LATEST from its beginning. */
  | "reset";

export type AggregateHandling =
  /** Handed out as they are. */
  | { readonly kind: "keep" }
  | {
      readonly kind: "split";
      /** Whether an aggregate with a record of another shard is dropped, as KCL does. */
      readonly filterByHashKey: boolean;
    };

/** What the consumer uses of the process it runs in. */
export interface ConsumerHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where failures that are retried are reported: `lease table`, `reading from Kinesis` and others. */
  readonly troubles: Troubles;
  /**
   * Called when a shard is given up, before its lease is released and after its last record was settled, if that comes to an end; and
   * at once when it is lost. None of its records is handed out from then on until it is taken anew; where records are numbered, not
   * before the host has let go of it. The host is waited for five seconds at most.
   *
   * @param partitionId that of the records.
   */
  releasePartition(partitionId: string): Promise<void>;
}

/** @throws RangeError naming the option. */
export function checkOptions(options: ConsumerOptions): void {
  const polling = options.retrieval.kind === "polling" ? options.retrieval : options.retrieval.fallback;
  const checks: readonly (readonly [string, number, number])[] = [
    ["retrieval.idleMs", polling?.idleMs ?? 200, 200],
    ["checkpointIntervalMs", options.checkpointIntervalMs, 0],
    ["backoffMs", options.backoffMs, 0],
    ["checkpointAttempts", options.checkpointAttempts, 1],
    ["failoverMs", options.failoverMs ?? defaultFailoverMs, 1_000],
  ];
  for (const [name, value, least] of checks) {
    if (!(value >= least)) throw new RangeError(`${name} must be at least ${least}, got ${value}`);
  }
  if (!/^[\w.-]+$/.test(options.instanceId)) {
    throw new RangeError(
      `instanceId must be made of letters, digits, "_", "." and "-", got "${options.instanceId}"`,
    );
  }
}
