// Generated from README.md by `pulsar-ts-io schema`. Edit the table there.

/** The config, validated and complete with its defaults. */
export interface ExampleSourceOptions {
  /** Where to listen, on this machine alone. */
  readonly port: number;
  /** The largest body that is taken. Default `5242880`. */
  readonly maxBodyBytes: number;
}
