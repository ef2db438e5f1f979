export { ExampleSource } from "./example-source.ts";
export type { ExampleSourceOptions } from "./generated/options.ts";
