// Generated from README.md by `pulsar-ts-io schema`. Edit the table there.

/** The config, validated and complete with its defaults. */
export interface FileTailSourceOptions {
  /** Where the files are; directories in it are passed over. */
  readonly directory: string;
  /** Regular expression that fits the names of the files to follow. Default `\.log(\.[0-9]+)?$`. */
  readonly pattern: string;
  /** Milliseconds between two looks when there is nothing new. Default `1000`. */
  readonly pollIntervalMs: number;
  /** Milliseconds after which a position is stored, while lines come. Default `3000`. */
  readonly checkpointIntervalMs: number;
  /** The longest line that is taken; a longer one ends the source. Default `1048576`. */
  readonly maxLineBytes: number;
}
