import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- loop [options]     what the runtime's own loop costs a record: source and publisher in memory

  --records N    of each round; default 1000000
  --rounds N     default 5; one more runs before, for the compilers
  --check        exit with 1 when the loop costs more than it may: 2 µs CPU a record
${commonUsage}
`;

export interface LoopBenchOptions extends CommonOptions {
  readonly records: number;
  readonly rounds: number;
  readonly check: boolean;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readLoopOptions(args: readonly string[]): LoopBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "5" },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    records: integerOption("records", values.records, 10_000, 100_000_000),
    rounds: integerOption("rounds", values.rounds, 1, 100),
    check: values.check,
    ...readCommonOptions(values),
  };
}
