import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- soak [options]        whether hours of publishing and broken connections lose messages, memory or handles

The wire producer, in a process of its own, publishes numbered messages through a proxy that resets every connection again and
again; a real broker with deduplication on stores them, and each is read back as it arrives. Ends with 1 when a message is lost,
repeated, out of order or refused, or memory or handles are not flat: the median of the last quarter of the minutes within 10 %
of the second quarter's. Linux only.

  --minutes N         default 60; memory is judged from 8 minutes on
  --rate N            messages a second; default 2000
  --size BYTES        of each message; default 256
  --partitions N      of the topic; default 4
  --reset-seconds N   from one reset of all connections to the next; default 10
${commonUsage}
`;

export interface SoakOptions extends CommonOptions {
  readonly minutes: number;
  readonly rate: number;
  readonly sizeBytes: number;
  readonly partitions: number;
  readonly resetSeconds: number;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readSoakOptions(args: readonly string[]): SoakOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "60" },
      rate: { type: "string", default: "2000" },
      size: { type: "string", default: "256" },
      partitions: { type: "string", default: "4" },
      "reset-seconds": { type: "string", default: "10" },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    minutes: integerOption("minutes", values.minutes, 1, 10_080),
    rate: integerOption("rate", values.rate, 1, 100_000),
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    partitions: integerOption("partitions", values.partitions, 1, 64),
    resetSeconds: integerOption("reset-seconds", values["reset-seconds"], 1, 3_600),
    ...readCommonOptions(values),
  };
}
