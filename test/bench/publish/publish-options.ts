import { parseArgs } from "node:util";
import {
  type CommonOptions,
  commonOptions,
  commonUsage,
  integerOption,
  readCommonOptions,
} from "../options.ts";
import { type ClientName, clientNames } from "./clients.ts";

export const usage = `npm run bench -- publish [options]     what publishing a message costs, against other clients in the same run

Each client is a process of its own, one after the other, with a topic of its own on one real broker (PULSAR_SERVICE_URL, with
PULSAR_ADMIN_URL, names one to use instead). Every receipt is awaited and counted. Linux only.

  --clients LIST      of ${clientNames.join(", ")}; default all
  --messages N        of each client and round; default 200000
  --size BYTES        of each message; default 1024
  --rounds N          default 3
  --compression NAME  NONE (default), LZ4, ZLIB, ZSTD, SNAPPY
  --no-batching       each message by itself; default: batches of 1000 messages, 128 KiB or 10 ms
  --pending N         messages without a receipt; default 1000
  --rate N            messages a second when latency is measured; default 2000
  --seconds N         how long that is; default 10
  --check             exit with 1 when the wire producer costs more than it may: 8 µs (11 µs without native code) or half of Java
${commonUsage}
`;

export interface PublishBenchOptions extends CommonOptions {
  readonly clients: readonly ClientName[];
  readonly messages: number;
  readonly sizeBytes: number;
  readonly rounds: number;
  readonly compression: string;
  readonly batching: boolean;
  readonly pending: number;
  readonly rate: number;
  readonly seconds: number;
  readonly check: boolean;
}

const compressions = ["NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"];

/** @returns `undefined` when help was asked for. @throws Error that names the option and what it may be. */
export function readPublishOptions(args: readonly string[]): PublishBenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: "string", default: clientNames.join(",") },
      messages: { type: "string", default: "200000" },
      size: { type: "string", default: "1024" },
      rounds: { type: "string", default: "3" },
      compression: { type: "string", default: "NONE" },
      "no-batching": { type: "boolean", default: false },
      pending: { type: "string", default: "1000" },
      rate: { type: "string", default: "2000" },
      seconds: { type: "string", default: "10" },
      check: { type: "boolean", default: false },
      ...commonOptions,
    },
  });
  if (values.help) return undefined;
  return {
    clients: values.clients.split(",").map((name) => oneOf("clients", name, clientNames)),
    messages: integerOption("messages", values.messages, 1_000, 50_000_000),
    sizeBytes: integerOption("size", values.size, 1, 4_194_304),
    rounds: integerOption("rounds", values.rounds, 1, 100),
    compression: oneOf("compression", values.compression, compressions),
    batching: !values["no-batching"],
    pending: integerOption("pending", values.pending, 1, 1_000_000),
    rate: integerOption("rate", values.rate, 1, 1_000_000),
    seconds: integerOption("seconds", values.seconds, 1, 3_600),
    check: values.check,
    ...readCommonOptions(values),
  };
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new Error(`--${option} must be of ${names.join(", ")}, got ${text}`);
}
