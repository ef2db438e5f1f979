import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";

export const usage = `npm run bench -- java [options]         what a record costs with this CLI, and with Pulsar's Java connector

In each round the real CLI, then Pulsar's Kinesis connector 4.0.8 as released in Pulsar's LocalRunner, each alone in a process of its own, read
the same stream of the programmable Kinesis (four shards) into the same real broker (PULSAR_SERVICE_URL, with PULSAR_ADMIN_URL, names
one to use instead), with new lease tables and topics. Every record must have arrived exactly once. Java's start takes two minutes
each time: that is how long it waits before it reads a new table's shards. Linux only.

  --records N     records of the stream; default 200000
  --size BYTES    of each record, of ASCII text: Java's connector damages other bytes; default 1024
  --rounds N      of each; default 3
  --queue N       receiveQueueSize of both; default 1000, as it is theirs
  --fan-out       read by enhanced fan-out; default: poll
  --check         exit with 1 when ours needs more than half of Java's CPU time a record, or of its memory
${commonUsage}
`;

export interface JavaBenchOptions extends CommonOptions {
  readonly records: number;
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly receiveQueueSize: number;
  readonly fanOut: boolean;
  readonly check: boolean;
}

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readJavaOptions(args: readonly string[]): JavaBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "200000" },
      size: { type: "string", default: "1024" },
      rounds: { type: "string", default: "3" },
      queue: { type: "string", default: "1000" },
      "fan-out": { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    records: integerOption("records", values.records, 20_000, 5_000_000),
    // The first bytes of a record tell it from all others.
    sizeBytes: integerOption("size", values.size, 16, 1_048_576),
    rounds: integerOption("rounds", values.rounds, 1, 100),
    receiveQueueSize: integerOption("queue", values.queue, 1, 1_000_000),
    fanOut: values["fan-out"],
    check: values.check,
    ...readCommonOptions(values),
  };
}
