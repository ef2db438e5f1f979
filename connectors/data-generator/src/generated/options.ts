// Generated from connectors/data-generator/README.md by `pnpm schemas`. Edit the table there.

/** The config, validated and complete with its defaults. */
export interface DataGeneratorSourceOptions {
  /** Records made per second, by all instances together. 0: as many as Pulsar takes. What a pause of Pulsar held back is made up for one second at most. Default `10`. */
  readonly recordsPerSecond: number;
  /** Records to make, by all instances together; then the source is idle. 0: no end. Default `0`. */
  readonly count: number;
  /** Partitions that the records are spread over, each with an order and a position of its own. Default `1`. */
  readonly partitions: number;
  /** Different message keys. 0: messages have none. Default `10`. */
  readonly keys: number;
  /** The value of a record, with placeholders: see "Template". Default `{"partition":{{partition}},"sequence":{{sequence}},"key":"{{key}}","time":"{{time}}","value":{{number 0 100}}}`. */
  readonly template: string;
  /** Makes each value that many random bytes, instead of the template. */
  readonly size?: number | undefined;
  /** Another seed makes other data; the same seed the same data. Default `1`. */
  readonly seed: number;
}
