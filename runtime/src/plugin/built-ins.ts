/** The connectors that come with the runtime, as packages it depends on; resolved by name at run time, never imported. */
export const builtInPackages: readonly string[] = [
  "@pulsar-ts-io/connector-data-generator",
  "@pulsar-ts-io/connector-kinesis",
];
