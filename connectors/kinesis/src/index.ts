export { KinesisConfigError } from "./errors.ts";
export type { KinesisSourceOptions } from "./generated/options.ts";
export { KinesisSource } from "./kinesis-source.ts";
export { tools } from "./tools.ts";
