import {
  type Counter,
  type Gauge,
  type Histogram,
  IllegalStateError,
  type Labels,
  type Meter,
} from "@pulsar-ts-io/core";

type Kind = "counter" | "gauge" | "histogram" | "summary";

interface Series {
  readonly name: string;
  readonly kind: Kind;
  readonly labels: Labels;
  /** Of a counter its total, of a gauge its last value, of a histogram the sum. */
  value: number;
  readonly observations: number[];
}

/** Keeps what is measured, for assertions. */
export class RecordingMeter implements Meter {
  readonly #series = new Map<string, Series>();

  counter(name: string, _help: string, labels: Labels = {}): Counter {
    const series = this.#of(name, "counter", labels);
    return {
      add(amount) {
        if (!(amount >= 0)) throw new RangeError(`a counter only grows: ${name} got ${amount}`);
        series.value += amount;
      },
    };
  }

  gauge(name: string, _help: string, labels: Labels = {}): Gauge {
    const series = this.#of(name, "gauge", labels);
    return {
      set: (value) => this.#again(series, value),
      remove: () => void this.#series.delete(idOf(series)),
    };
  }

  histogram(name: string, _help: string, labels: Labels = {}): Histogram {
    return this.#observed(name, "histogram", labels);
  }

  summary(name: string, _help: string, labels: Labels = {}): Histogram {
    return this.#observed(name, "summary", labels);
  }

  #observed(name: string, kind: Kind, labels: Labels): Histogram {
    const series = this.#of(name, kind, labels);
    return {
      observe(value) {
        series.value += value;
        series.observations.push(value);
      },
    };
  }

  /** The names of all metrics that were asked for. */
  get names(): ReadonlySet<string> {
    return new Set([...this.#series.values()].map((series) => series.name));
  }

  /** A counter's total, a gauge's last value (none once it was removed) or a histogram's sum, added over every series that has `labels`; 0 when there is none. */
  value(name: string, labels: Labels = {}): number {
    return this.#matching(name, labels).reduce((sum, series) => sum + series.value, 0);
  }

  /** What a histogram observed, over every series that has `labels`. */
  observations(name: string, labels: Labels = {}): readonly number[] {
    return this.#matching(name, labels).flatMap((series) => series.observations);
  }

  #matching(name: string, labels: Labels): readonly Series[] {
    return [...this.#series.values()].filter(
      (series) =>
        series.name === name &&
        Object.entries(labels).every(([label, value]) => series.labels[label] === value),
    );
  }

  /** Also one that was removed. */
  #again(series: Series, value: number): void {
    series.value = value;
    this.#series.set(idOf(series), series);
  }

  #of(name: string, kind: Kind, labels: Labels): Series {
    const id = idOf({ name, labels });
    const known = this.#series.get(id);
    if (known !== undefined && known.kind !== kind) {
      throw new IllegalStateError(`${name} is a ${known.kind} and was asked for as a ${kind}`);
    }
    const series = known ?? { name, kind, labels, value: 0, observations: [] };
    this.#series.set(id, series);
    return series;
  }
}

function idOf({ name, labels }: Pick<Series, "name" | "labels">): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}
