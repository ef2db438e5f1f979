export { FileTailSource } from "./file-tail-source.ts";
export type { FileTailSourceOptions } from "./generated/options.ts";
export { tools } from "./tools.ts";
