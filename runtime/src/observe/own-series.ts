import type { InstanceReport, MetricFamily, MetricSample } from "../supervise/instance-report.ts";
import { isReady } from "./health.ts";
import { identityLabels, type SourceIdentity } from "./source-identity.ts";

/** Partitions of one instance that have series of their own. */
const maxPartitions = 1_000;

type Values = (report: InstanceReport, nowMs: number) => readonly Pick<MetricSample, "value" | "labels">[];

interface OwnMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly values: Values;
}

const metrics: readonly OwnMetric[] = [
  gauge(
    "up",
    "1 while the instance runs",
    one(({ state }) => Number(state === "running")),
  ),
  gauge(
    "stalled",
    "1 while nothing moves although there is something to move",
    one(({ stalled }) => Number(stalled !== undefined)),
  ),
  gauge("ready", "1 while records can move through the instance", (report, nowMs) => [
    { labels: {}, value: Number(isReady(report, nowMs)) },
  ]),
  gauge(
    "trouble_seconds",
    "How long something has been failing that is retried; blocking: no record moves while it lasts",
    ({ troubles }, nowMs) =>
      troubles.map(({ what, blocking, sinceMs }) => ({
        labels: { what, blocking: String(blocking) },
        value: Math.max(0, nowMs - sinceMs) / 1_000,
      })),
  ),
  counter(
    "restarts_total",
    "Starts of the instance after its first",
    one(({ restarts }) => restarts),
  ),
  gauge(
    "in_flight_records",
    "Records handed to a publisher and not settled",
    one(({ counts }) => counts.inFlight),
  ),
  gauge(
    "in_flight_bytes",
    "Their payload bytes",
    one(({ counts }) => counts.inFlightBytes),
  ),
  counter(
    "written_bytes_total",
    "Payload bytes that Pulsar confirmed",
    one(({ counts }) => counts.writtenBytes),
  ),
  counter(
    "refused_records_total",
    "Records that Pulsar refused for good",
    one(({ counts }) => counts.failed),
  ),
  counter(
    "skipped_records_total",
    "Of the refused records, those that were passed over",
    one(({ counts }) => counts.skipped),
  ),
  counter(
    "dead_lettered_records_total",
    "Of the refused records, those that the dead-letter topic has",
    one(({ counts }) => counts.deadLettered),
  ),
  counter(
    "abandoned_records_total",
    "Records given up unconfirmed, at a stop that waited too long or with a process that died: they are read again",
    one(({ counts }) => counts.abandoned),
  ),
  counter(
    "duplicate_records_total",
    "Of the written records, those that Pulsar had stored before, and did not store again",
    one(({ counts }) => counts.duplicates),
  ),
  gauge(
    "last_receipt_timestamp_seconds",
    "When Pulsar last confirmed a record; 0 before the first",
    one(({ counts }) => counts.lastWrittenTime / 1_000),
  ),
  gauge(
    "last_read_timestamp_seconds",
    "When the source last returned a record; 0 before the first",
    one(({ counts }) => counts.lastReceivedTime / 1_000),
  ),
  gauge("lag_seconds", "The largest lag of the instance's partitions", ({ counts }) =>
    counts.lagMs === undefined ? [] : [{ labels: {}, value: counts.lagMs / 1_000 }],
  ),
  gauge(
    "partition_lag_seconds",
    "How far a partition is behind its newest record",
    ofPartitions(({ lagMs }) => lagMs),
  ),
  gauge(
    "partition_checkpoint_age_seconds",
    "Time since the position of a partition was stored",
    ofPartitions(({ checkpointAgeMs }) => checkpointAgeMs),
  ),
];

/** What Java's source does not measure, from reports; the names begin with `pulsar_ts_io_`. @param nowMs epoch milliseconds. */
export function ownFamilies(
  identity: SourceIdentity,
  reports: readonly InstanceReport[],
  nowMs: number,
): readonly MetricFamily[] {
  return metrics.map(({ name, help, type, values }) => ({
    name,
    help,
    type,
    samples: reports.flatMap((report) => withIdentity(identity, report.instanceId, values(report, nowMs))),
  }));
}

/** The metrics that the parts of the instances keep by themselves, with the labels that tell them apart. */
export function measuredFamilies(
  identity: SourceIdentity,
  reports: readonly InstanceReport[],
): readonly MetricFamily[] {
  return reports.flatMap(({ instanceId, metrics }) =>
    metrics.map((family) => ({ ...family, samples: withIdentity(identity, instanceId, family.samples) })),
  );
}

function withIdentity(
  identity: SourceIdentity,
  instanceId: number,
  samples: readonly MetricSample[],
): readonly MetricSample[] {
  const labels = identityLabels(identity, instanceId);
  return samples.map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } }));
}

function gauge(name: string, help: string, values: Values): OwnMetric {
  return { name: `pulsar_ts_io_${name}`, help, type: "gauge", values };
}

function counter(name: string, help: string, values: Values): OwnMetric {
  return { name: `pulsar_ts_io_${name}`, help, type: "counter", values };
}

function one(value: (report: InstanceReport) => number): Values {
  return (report) => [{ labels: {}, value: value(report) }];
}

function ofPartitions(ms: (partition: InstanceReport["partitions"][number]) => number | undefined): Values {
  return ({ partitions }) =>
    partitions.slice(0, maxPartitions).flatMap((partition) => {
      const value = ms(partition);
      return value === undefined ? [] : [{ labels: { partition: partition.id }, value: value / 1_000 }];
    });
}
