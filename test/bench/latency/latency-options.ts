import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- latency [options]  how fast shards are read over a long distance, and what is added on the way

1. Added latency: the real CLI between the programmable Kinesis (four shards, behind a relay that delays each direction) and a real
   broker of its own, at a steady rate. It counts from the moment the relay writes a record to the CLI's connection until the CLI's
   write of that record arrives at a proxy in front of the broker: decoding, queue, conversion, the delay of batches (10 ms),
   and whatever the process had to wait for the processor. By enhanced fan-out over HTTP/2 and by polling.
2. Reading one shard through that relay, by both ways, with nothing behind the consumer.
3. Polling 40 shards whose calls take 250 ms each, with the default queue of 1,000 records.

  --only PART    added or reading; default both
  --rate N       of added latency, records a second; default 1000
  --seconds N    how long for each round trip and way, after 3 s that do not count; default 10
  --added-size BYTES  of each of these records; default 1024
  --megabytes N  of reading: payload of the one shard; default 16
  --size BYTES   of reading: bytes of each record; default 1024
  --check        exit with 1 below 1.8 MB/s by fan-out at 100 ms, or below 9,000 records/s of 40 shards
${commonUsage}
`;

const parts = ["added", "reading"] as const;

export interface LatencyBenchOptions extends CommonOptions {
  /** `undefined`: all parts. */
  readonly only: (typeof parts)[number] | undefined;
  readonly rate: number;
  readonly seconds: number;
  readonly addedBytes: number;
  readonly megabytes: number;
  readonly sizeBytes: number;
  readonly check: boolean;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readLatencyOptions(args: readonly string[]): LatencyBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      rate: { type: "string", default: "1000" },
      seconds: { type: "string", default: "10" },
      "added-size": { type: "string", default: "1024" },
      megabytes: { type: "string", default: "16" },
      size: { type: "string", default: "1024" },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  const only = parts.find((part) => part === values.only);
  if (values.only !== undefined && only === undefined)
    throw new Error(`--only must be ${parts.join(" or ")}, got ${values.only}`);
  return {
    only,
    // Four shards take no more.
    rate: integerOption("rate", values.rate, 10, 4_000),
    seconds: integerOption("seconds", values.seconds, 1, 3_600),
    addedBytes: integerOption("added-size", values["added-size"], 16, 1_048_576),
    megabytes: integerOption("megabytes", values.megabytes, 2, 1_000),
    // The first bytes of a record tell it from all others.
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    check: values.check,
    ...readCommonOptions(values),
  };
}
