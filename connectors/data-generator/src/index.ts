export { DataGeneratorSource } from "./data-generator-source.ts";
export { DataGeneratorConfigError } from "./errors.ts";
export type { DataGeneratorSourceOptions } from "./generated/options.ts";
export { tools } from "./tools.ts";
