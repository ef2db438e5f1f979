import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "./options.ts";

export const usage = `npm run bench -- [options]              what a record costs from Kinesis to Pulsar
npm run bench -- publish [options]      what publishing alone costs
npm run bench -- instances [options]    what a record costs with four instances, against one
npm run bench -- java [options]         what it costs with Pulsar's Java connector, against ours
npm run bench -- latency [options]      how fast shards are read over a long distance
npm run bench -- shards [options]       what many idle shards cost, and how fast they change hands

Runs the real CLI against the programmable Kinesis, DynamoDB Local and a real broker (PULSAR_SERVICE_URL, with
PULSAR_ADMIN_URL, names one to use instead), and checks that every record arrived exactly once. Linux only.

  --records N     records of the stream; default 200000
  --shards N      over which the records are spread; default 4
  --size BYTES    bytes of each record; default 1024
  --rounds N      how often all of them are read; default 3
  --queue N       receiveQueueSize of the connector; default 10000
  --fan-out       read by enhanced fan-out; default: poll
  --console       publish to --output console, into /dev/null: the source's side alone
  --profile DIR   write a CPU profile of each round's CLI to DIR; the figures then include the profiler
  --no-sdk        without the bare AWS SDK that reads the stream before each round
${commonUsage}

For a clean standard output: npm run --silent bench -- --json
`;

export interface BenchOptions extends CommonOptions {
  readonly records: number;
  readonly shards: number;
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly receiveQueueSize: number;
  readonly fanOut: boolean;
  readonly toConsole: boolean;
  readonly profileFolder: string | undefined;
  /** Whether the bare AWS SDK reads the stream, too. */
  readonly yardstick: boolean;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readBenchOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "200000" },
      size: { type: "string", default: "1024" },
      rounds: { type: "string", default: "3" },
      queue: { type: "string", default: "10000" },
      "fan-out": { type: "boolean", default: false },
      console: { type: "boolean", default: false },
      profile: { type: "string" },
      shards: { type: "string", default: "4" },
      "no-sdk": { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    records: integerOption("records", values.records, 1_000, 5_000_000),
    shards: integerOption("shards", values.shards, 1, 1_000),
    // The first bytes of a record tell it from all others.
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    rounds: integerOption("rounds", values.rounds, 1, 100),
    receiveQueueSize: integerOption("queue", values.queue, 1, 1_000_000),
    fanOut: values["fan-out"],
    toConsole: values.console,
    profileFolder: values.profile,
    yardstick: !values["no-sdk"],
    ...readCommonOptions(values),
  };
}
