import { type ConnectorTools, remedyOf, toError } from "@pulsar-ts-io/core";
import { namesIn, patternOf } from "./file-names.ts";
import type { FileTailSourceOptions } from "./generated/options.ts";

/** What commands other than `run` do with the files. */
export const tools: ConnectorTools<FileTailSourceOptions> = {
  async *check(options) {
    const attempt = { kind: "attempt", name: `read ${options.directory}` } as const;
    try {
      const names = await namesIn(options.directory, patternOf(options));
      yield { ...attempt, outcome: "ok", detail: `${names.length} files that fit` };
    } catch (error) {
      yield { ...attempt, outcome: "failed", detail: toError(error).message, remedy: remedyOf(error) };
    }
  },
};
