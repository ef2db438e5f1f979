import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- start [options]     what the real CLI loads and uses until its first record: CPU, memory, time, modules

  --starts N       measured, on a new lease table and on one with leases; default 7
  --profile DIR    write a CPU profile of each start there, for Chrome's DevTools; the figures are worth less then
${commonUsage}

Needs Linux and Java 17. PULSAR_TS_IO_BIN names another build's runtime/bin/pulsar-ts-io.js.
`;

export interface StartBenchOptions extends CommonOptions {
  readonly starts: number;
  readonly profileFolder: string | undefined;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readStartOptions(args: readonly string[]): StartBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      starts: { type: "string", default: "7" },
      profile: { type: "string" },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    starts: integerOption("starts", values.starts, 1, 1_000),
    profileFolder: values.profile,
    ...readCommonOptions(values),
  };
}
