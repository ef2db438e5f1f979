import {
  type Clock,
  type Counter,
  type Gauge,
  type Histogram,
  IllegalStateError,
  type Labels,
  type Meter,
} from "@pulsar-ts-io/core";
import type { MetricFamily } from "../supervise/instance-report.ts";
import { CounterSeries, GaugeSeries, HistogramSeries, type Series, SummarySeries } from "./instruments.ts";
import { identityLabelNames } from "./source-identity.ts";

/** Series of one metric; those beyond are measured, but not shown: a label has too many values. */
const maxSeries = 1_000;

type Kind = MetricFamily["type"];

/**
 * The metrics of one instance. An instrument costs an addition and allocates nothing: who asks for the numbers pays.
 *
 * What tells sources and instances apart is added by who shows the metrics, see {@link identityLabelNames}.
 */
export class MetricRegistry implements Meter {
  readonly #clock: Clock;
  readonly #families = new Map<string, { readonly kind: Kind; readonly family: Family<Series> }>();
  readonly #counters = new Map<string, Family<CounterSeries>>();
  readonly #gauges = new Map<string, Family<GaugeSeries>>();
  readonly #histograms = new Map<string, Family<HistogramSeries>>();
  readonly #summaries = new Map<string, Family<SummarySeries>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#of(this.#counters, "counter", name, help).series(labels, () => new CounterSeries());
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    return this.#of(this.#gauges, "gauge", name, help).series(labels, () => new GaugeSeries());
  }

  histogram(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#of(this.#histograms, "histogram", name, help).series(
      labels,
      () => new HistogramSeries(name),
    );
  }

  summary(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#of(this.#summaries, "summary", name, help).series(
      labels,
      () => new SummarySeries(name, help, this.#clock.now()),
    );
  }

  /** All metrics as they are now, as plain data. */
  families(): Promise<readonly MetricFamily[]> {
    return Promise.all([...this.#families.values()].map(({ kind, family }) => family.snapshot(kind)));
  }

  #of<S extends Series>(families: Map<string, Family<S>>, kind: Kind, name: string, help: string): Family<S> {
    const known = families.get(name);
    if (known !== undefined) return known;
    const other = this.#families.get(name)?.kind;
    if (other !== undefined) {
      throw new IllegalStateError(`${name} is a ${other} and was asked for as a ${kind}`);
    }
    if (!/^[a-zA-Z_:][\w:]*$/.test(name)) {
      throw new IllegalStateError(`${JSON.stringify(name)} cannot be the name of a metric`);
    }
    const family = new Family<S>(name, help);
    families.set(name, family);
    this.#families.set(name, { kind, family });
    return family;
  }
}

/** The series of one metric, by their labels. */
class Family<S extends Series> {
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Map<string, { readonly labels: Labels; readonly series: S }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  series(labels: Labels, make: () => S): S {
    const id = JSON.stringify(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
    const known = this.#series.get(id);
    if (known !== undefined) return known.series;
    for (const label of Object.keys(labels)) this.#check(label);
    const series = make();
    if (this.#series.size >= maxSeries) this.#dropRemoved();
    if (this.#series.size < maxSeries) this.#series.set(id, { labels: { ...labels }, series });
    return series;
  }

  async snapshot(type: Kind): Promise<MetricFamily> {
    const all = [...this.#series.values()];
    const samples = await Promise.all(all.map(({ labels, series }) => series.samples(this.#name, labels)));
    return { name: this.#name, help: this.#help, type, samples: samples.flat() };
  }

  #dropRemoved(): void {
    for (const [id, { series }] of this.#series) if (series.removed === true) this.#series.delete(id);
  }

  #check(label: string): void {
    if (identityLabelNames.has(label)) {
      throw new IllegalStateError(`${this.#name} has a label ${label}, which is the host's own`, {
        remedy: "give the label another name",
      });
    }
    if (/^(?!__)[a-zA-Z_]\w*$/.test(label) && label !== "le" && label !== "quantile") return;
    throw new IllegalStateError(`${this.#name} has a label ${JSON.stringify(label)}, which cannot be one`);
  }
}
