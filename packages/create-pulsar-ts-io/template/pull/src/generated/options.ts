// Generated from README.md by `pulsar-ts-io schema`. Edit the table there.

/** The config, validated and complete with its defaults. */
export interface ExampleSourceOptions {
  /** The file to follow. It may come into being later. */
  readonly path: string;
  /** Milliseconds between two looks at the file when it has nothing new. Default `1000`. */
  readonly pollIntervalMs: number;
}
