import type { StartPosition } from "@pulsar-ts-io/core";
import type { AwsEnvironment } from "./aws-environment.ts";
import { type CredentialMode, resolveCredentials } from "./credentials.ts";
import { type AwsEndpoints, resolveEndpoints } from "./endpoints.ts";
import { KinesisConfigError } from "./errors.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { type RecordShape, resolveRecordShape } from "./kinesis-record.ts";

/** How shards are read. The name of a fan-out consumer is the application's, as in Java. */
type Retrieval =
  | Polling
  | {
      readonly kind: "fan-out";
      readonly consumerName: string;
      /** Instead, when the consumer cannot be registered. */
      readonly fallback: Polling | undefined;
    };

interface Polling {
  readonly kind: "polling";
  readonly idleMs: number;
}

/** What becomes of the aggregates of the Kinesis Producer Library. */
type Aggregates = { readonly kind: "keep" } | { readonly kind: "split"; readonly filterByHashKey: boolean };

/** The config in our own terms: complete, units in the names, nothing left to decide. */
export interface KinesisSourceConfig {
  readonly streamName: string;
  /** Also the name of the lease table. */
  readonly applicationName: string;
  readonly initialPosition: StartPosition;
  readonly retrieval: Retrieval;
  readonly aggregates: Aggregates;
  readonly checkpointIntervalMs: number;
  /** Longest pause after a throttled call. */
  readonly backoffMs: number;
  readonly checkpointAttempts: number;
  readonly maxBufferedRecords: number;
  readonly maxBufferedBytes: number;
  readonly onStreamRecreated: KinesisSourceOptions["onStreamRecreated"];
  /** NONE also where nobody says where CloudWatch is. */
  readonly metricsLevel: KinesisSourceOptions["cloudwatchMetricsLevel"];
  readonly record: RecordShape;
  readonly endpoints: AwsEndpoints;
  /** Whether records may be asked for in CBOR. */
  readonly cbor: boolean;
  readonly credentials: CredentialMode;
}

/**
 * Translates a validated config. The defaults are the table's: none is added here.
 *
 * @throws KinesisConfigError (`PIO_KINESIS_CONFIG`) naming the setting and what it may be.
 */
export function resolveOptions(
  options: KinesisSourceOptions,
  environment: AwsEnvironment,
): KinesisSourceConfig {
  const endpoints = resolveEndpoints(options, environment);
  return {
    streamName: options.awsKinesisStreamName,
    applicationName: options.applicationName,
    initialPosition: initialPosition(options),
    retrieval: retrieval(options),
    aggregates: aggregates(options),
    checkpointIntervalMs: options.checkpointInterval,
    backoffMs: options.backoffTime,
    // Java's loop runs numRetries times; 0 would mean no checkpoint at all.
    checkpointAttempts: Math.max(1, options.numRetries),
    maxBufferedRecords: options.receiveQueueSize,
    maxBufferedBytes: options.maxBufferedBytes,
    onStreamRecreated: options.onStreamRecreated,
    metricsLevel: endpoints.cloudwatchUnknown ? "NONE" : options.cloudwatchMetricsLevel,
    record: resolveRecordShape(options),
    endpoints,
    cbor: environment.cbor,
    credentials: resolveCredentials(options),
  };
}

function initialPosition(options: KinesisSourceOptions): StartPosition {
  const position = options.initialPositionInStream;
  switch (position) {
    case "LATEST":
      return { kind: "latest" };
    case "TRIM_HORIZON":
      return { kind: "trim-horizon" };
    case "AT_TIMESTAMP":
      return { kind: "at-timestamp", epochMs: startAtTime(options) };
    default:
      return position satisfies never;
  }
}

function startAtTime(options: KinesisSourceOptions): number {
  const epochMs = Date.parse(options.startAtTime ?? "");
  if (Number.isFinite(epochMs)) return epochMs;
  throw new KinesisConfigError(
    "initialPositionInStream is AT_TIMESTAMP, and startAtTime is no point in time",
    {
      remedy: "set startAtTime, such as 2019-03-05T19:28:58.000Z",
    },
  );
}

function retrieval(options: KinesisSourceOptions): Retrieval {
  const polling: Polling = { kind: "polling", idleMs: options.pollIdleTime };
  if (!options.useEnhancedFanOut) return polling;
  const fallback = options.fallbackToPolling ? polling : undefined;
  return { kind: "fan-out", consumerName: options.applicationName, fallback };
}

function aggregates(options: KinesisSourceOptions): Aggregates {
  if (!options.kplDeaggregation) return { kind: "keep" };
  return { kind: "split", filterByHashKey: options.kplHashRangeFilter === "kcl" };
}
