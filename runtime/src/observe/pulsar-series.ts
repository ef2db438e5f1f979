import type { Clock } from "@pulsar-ts-io/core";
import type {
  InstanceReport,
  MetricFamily,
  MetricSample,
  RecentError,
} from "../supervise/instance-report.ts";
import { identityLabels, type SourceIdentity } from "./source-identity.ts";

/** The counts that Pulsar has twice: since the start, and of the current minute. */
const counts = [
  { name: "received", help: "Records read from the source", of: "received" },
  { name: "written", help: "Records that Pulsar confirmed", of: "written" },
  {
    name: "system_exceptions",
    help: "Records that Pulsar refused, and failures that ended an instance",
    of: "systemExceptions",
  },
  { name: "source_exceptions", help: "Failures of the source itself", of: "sourceExceptions" },
] as const;

type Counts = Readonly<Record<(typeof counts)[number]["of"], number>>;

/** Characters of a failure that its label shows. */
const maxLabelCharacters = 200;

const none: Counts = { received: 0, written: 0, systemExceptions: 0, sourceExceptions: 0 };

/**
 * The series of a Java source's `SourceStatsManager`, under its names, from reports.
 *
 * The 1min ones start again at each {@link startMinute}. They exist under the name that the documentation of Pulsar
 * has, and under that which its current client library makes of it, with `_total`.
 */
export class PulsarSeries {
  readonly #identity: SourceIdentity;
  readonly #clock: Clock;
  readonly #createdMs: number;
  #minuteMs: number;
  #before = new Map<number, Counts>();

  constructor(identity: SourceIdentity, clock: Clock) {
    this.#identity = identity;
    this.#clock = clock;
    this.#createdMs = clock.now();
    this.#minuteMs = this.#createdMs;
  }

  /** Sets the 1min counts to zero; once a minute. */
  startMinute(reports: readonly InstanceReport[]): void {
    this.#minuteMs = this.#clock.now();
    this.#before = new Map(reports.map((report) => [report.instanceId, report.counts]));
  }

  families(reports: readonly InstanceReport[]): readonly MetricFamily[] {
    const gauge = (name: string, help: string, samples: readonly MetricSample[]): MetricFamily => ({
      name: `pulsar_source_${name}`,
      help,
      type: "gauge",
      samples,
    });
    return [
      ...counts.flatMap(({ name, help, of }) => this.#count(name, help, of, reports)),
      gauge(
        "last_invocation",
        "When the source last returned a record, in milliseconds since 1970",
        this.#samples(reports, ({ counts }) => counts.lastReceivedTime),
      ),
      gauge(
        "system_exception",
        "The last failures of publishing and of instances",
        this.#errors(reports, ({ systemErrors }) => systemErrors),
      ),
      gauge(
        "source_exception",
        "The last failures of the source itself",
        this.#errors(reports, ({ sourceErrors }) => sourceErrors),
      ),
    ];
  }

  #count(
    name: string,
    help: string,
    of: keyof Counts,
    reports: readonly InstanceReport[],
  ): readonly MetricFamily[] {
    const total = this.#samples(reports, ({ counts }) => counts[of]);
    const minute = this.#samples(reports, ({ instanceId, counts }) =>
      // Of an instance that was counted anew, what there is.
      Math.max(0, counts[of] - (this.#before.get(instanceId) ?? none)[of]),
    );
    const perMinute = `${help}, in the current minute`;
    const since = (ms: number) => this.#samples(reports, () => ms / 1_000);
    const prefixed = `pulsar_source_${name}`;
    return [
      { name: `${prefixed}_total`, help, type: "counter", samples: total },
      {
        name: `${prefixed}_created`,
        help: `Start of ${prefixed}_total`,
        type: "gauge",
        samples: since(this.#createdMs),
      },
      { name: `${prefixed}_1min_total`, help: perMinute, type: "counter", samples: minute },
      {
        name: `${prefixed}_1min_created`,
        help: "Start of the current minute",
        type: "gauge",
        samples: since(this.#minuteMs),
      },
      { name: `${prefixed}_1min`, help: perMinute, type: "gauge", samples: minute },
    ];
  }

  #samples(
    reports: readonly InstanceReport[],
    value: (report: InstanceReport) => number,
  ): readonly MetricSample[] {
    return reports.map((report) => ({
      labels: identityLabels(this.#identity, report.instanceId),
      value: value(report),
    }));
  }

  /** One sample for each text among the last failures: that bounds the values of the label. */
  #errors(
    reports: readonly InstanceReport[],
    errors: (report: InstanceReport) => readonly RecentError[],
  ): readonly MetricSample[] {
    return reports.flatMap((report) => {
      const texts = new Set(errors(report).map(({ message }) => message.slice(0, maxLabelCharacters)));
      const labels = identityLabels(this.#identity, report.instanceId);
      return [...texts].map((error) => ({ labels: { ...labels, error }, value: 1 }));
    });
  }
}
