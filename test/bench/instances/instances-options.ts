import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- instances [options]    what a record costs with four instances, against one

Runs the real CLI with --parallelism 1 and 4 in turn, from the programmable Kinesis (four shards) into a real broker
(PULSAR_SERVICE_URL, with PULSAR_ADMIN_URL, names one to use instead), and checks that every record arrived exactly once. CPU
time of all its processes for the second half of the records: by then all instances read, and their code is compiled, which takes
four times as much for four. Linux only.

  --records N     of each round; default 1000000
  --size BYTES    of each record; default 256
  --rounds N      of each; default 3
  --check         exit with 1 when a record costs more than 1.15 times as much with four instances
${commonUsage}
`;

export interface InstancesBenchOptions extends CommonOptions {
  readonly records: number;
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly check: boolean;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readInstancesOptions(args: readonly string[]): InstancesBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "1000000" },
      size: { type: "string", default: "256" },
      rounds: { type: "string", default: "3" },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    records: integerOption("records", values.records, 20_000, 5_000_000),
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    rounds: integerOption("rounds", values.rounds, 1, 100),
    check: values.check,
    ...readCommonOptions(values),
  };
}
