/** Few values each: a stream, a partition, a topic; never a message key. */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds `amount`, zero or more. */
  add(amount: number): void;
}

export interface Gauge {
  set(value: number): void;
  /** Ends its series, until it is set again: what it was of is gone, such as a partition that another instance reads now. */
  remove(): void;
}

export interface Histogram {
  /** Records one observation in the unit that the metric's name ends with. */
  observe(value: number): void;
}

/**
 * Where metrics go. Names are snake_case with the base unit last (`_seconds`, `_bytes`, `_total`).
 *
 * Asking twice for the same name and labels gives the same instrument: ask once, outside the path of a record.
 */
export interface Meter {
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels): Gauge;
  histogram(name: string, help: string, labels?: Labels): Histogram;
  /** Keeps quantiles rather than buckets: dearer, and not to be added up over instances. */
  summary(name: string, help: string, labels?: Labels): Histogram;
}

/** Measures nothing. */
export const silentMeter: Meter = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {}, remove() {} }),
  histogram: () => ({ observe() {} }),
  summary: () => ({ observe() {} }),
};
