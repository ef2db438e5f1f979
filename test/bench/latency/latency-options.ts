import { parseArgs } from "node:util";
import { commonOptions, integerOption } from "../options.ts";

export const usage = `npm run bench -- latency [options]  how fast shards are read over a long distance

Reads one shard of the programmable Kinesis through a relay that delays each direction, by enhanced fan-out over HTTP/2 and by
polling, then 40 shards whose calls take 250 ms each, with the default queue of 1,000 records.

  --megabytes N  payload of the one shard; default 16
  --size BYTES   bytes of each record; default 1024
  --check        exit with 1 below 1.8 MB/s by fan-out at 100 ms, or below 9,000 records/s of 40 shards
  --json         one JSON document on standard output instead of the table
  --out FILE     write that JSON document to FILE as well
`;

export interface LatencyBenchOptions {
  readonly megabytes: number;
  readonly sizeBytes: number;
  readonly check: boolean;
  readonly json: boolean;
  readonly outFile: string | undefined;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readLatencyOptions(args: readonly string[]): LatencyBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      megabytes: { type: "string", default: "16" },
      size: { type: "string", default: "1024" },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    megabytes: integerOption("megabytes", values.megabytes, 2, 1_000),
    // The first bytes of a record tell it from all others.
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    check: values.check,
    json: values.json,
    outFile: values.out,
  };
}
