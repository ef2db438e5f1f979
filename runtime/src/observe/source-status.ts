import type { PartitionStatus, Trouble } from "@pulsar-ts-io/core";
import type { InstanceReport, InstanceState, RecentError } from "../supervise/instance-report.ts";

/** One failure, as Pulsar's status has it. */
interface ExceptionInformation {
  readonly exceptionString: string;
  readonly timestampMs: number;
}

/** `org.apache.pulsar.common.policies.data.SourceStatus.SourceInstanceStatus.SourceInstanceStatusData`. */
interface SourceInstanceStatusData {
  readonly running: boolean;
  readonly error: string;
  readonly numRestarts: number;
  readonly numReceivedFromSource: number;
  readonly numSystemExceptions: number;
  readonly latestSystemExceptions: readonly ExceptionInformation[];
  readonly numSourceExceptions: number;
  readonly latestSourceExceptions: readonly ExceptionInformation[];
  readonly numWritten: number;
  readonly lastReceivedTime: number;
  readonly workerId: string;
}

/** What Pulsar's status has no place for. */
interface InstanceDetails {
  readonly state: InstanceState;
  /** Absent: it moves, or has nothing to move. */
  readonly stalled?: string | undefined;
  /** What fails and is retried now, the oldest first. */
  readonly troubles: readonly Trouble[];
  readonly inFlight: number;
  readonly inFlightBytes: number;
  readonly writtenBytes: number;
  readonly refused: number;
  /** Of the refused, those that were passed over. */
  readonly skipped: number;
  /** Of the refused, those that the dead-letter topic has. */
  readonly deadLettered: number;
  /** Given up unconfirmed: they are read again. */
  readonly abandoned: number;
  /** Of the written, those that Pulsar had stored before. */
  readonly duplicates: number;
  /** Epoch milliseconds; 0 before the first. */
  readonly lastReceiptTime: number;
  readonly lagMs?: number | undefined;
  readonly partitions: readonly ShownPartition[];
}

interface ShownPartition extends PartitionStatus {
  /** Absent while it is not known. */
  readonly recordsPerSecond?: number | undefined;
}

/** What is run. */
export interface SourceDescription {
  readonly tenant: string;
  /** Without its tenant. */
  readonly namespace: string;
  readonly name: string;
  readonly connector: string;
  /** Of this program. */
  readonly version: string;
  readonly topic: string;
  readonly processingGuarantees: string;
  /** Epoch milliseconds. */
  readonly startTime: number;
  /** As it is in force, without secrets. */
  readonly configs: Readonly<Record<string, unknown>>;
}

/** Pulsar's `SourceStatus`, and beside its parts what it does not know. */
export interface SourceStatus {
  readonly numInstances: number;
  readonly numRunning: number;
  readonly instances: readonly {
    readonly instanceId: number;
    readonly status: SourceInstanceStatusData;
    readonly details: InstanceDetails;
  }[];
  readonly source: SourceDescription;
  /** When this was told, epoch milliseconds. */
  readonly time: number;
}

export interface StatusContext {
  readonly time: number;
  readonly source: SourceDescription;
  readonly workerId: string;
  readonly recordsPerSecond: (instanceId: number, partition: string) => number | undefined;
}

export function sourceStatus(reports: readonly InstanceReport[], context: StatusContext): SourceStatus {
  return {
    numInstances: reports.length,
    numRunning: reports.filter(isRunning).length,
    instances: reports.map((report) => ({
      instanceId: report.instanceId,
      status: statusData(report, context.workerId),
      details: details(report, context),
    })),
    source: context.source,
    time: context.time,
  };
}

/** One that drains still runs: Java knows no state between. */
function isRunning({ state }: InstanceReport): boolean {
  return state === "running" || state === "draining";
}

function statusData(report: InstanceReport, workerId: string): SourceInstanceStatusData {
  const { counts } = report;
  return {
    running: isRunning(report),
    error: report.error,
    numRestarts: report.restarts,
    numReceivedFromSource: counts.received,
    numSystemExceptions: counts.systemExceptions,
    latestSystemExceptions: report.systemErrors.map(exception),
    numSourceExceptions: counts.sourceExceptions,
    latestSourceExceptions: report.sourceErrors.map(exception),
    numWritten: counts.written,
    lastReceivedTime: counts.lastReceivedTime,
    workerId,
  };
}

function exception({ message, atMs }: RecentError): ExceptionInformation {
  return { exceptionString: message, timestampMs: atMs };
}

function details(
  { instanceId, state, stalled, troubles, counts, partitions }: InstanceReport,
  { recordsPerSecond }: StatusContext,
): InstanceDetails {
  return {
    state,
    stalled,
    troubles,
    inFlight: counts.inFlight,
    inFlightBytes: counts.inFlightBytes,
    writtenBytes: counts.writtenBytes,
    refused: counts.failed,
    skipped: counts.skipped,
    deadLettered: counts.deadLettered,
    abandoned: counts.abandoned,
    duplicates: counts.duplicates,
    lastReceiptTime: counts.lastWrittenTime,
    lagMs: counts.lagMs,
    partitions: partitions.map((partition) => ({
      ...partition,
      recordsPerSecond: recordsPerSecond(instanceId, partition.id),
    })),
  };
}
