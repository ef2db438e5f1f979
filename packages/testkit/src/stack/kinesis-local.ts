import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { freePorts } from "./free-ports.ts";
import { type LocalService, startService } from "./local-service.ts";
import { peerFile } from "./peer-package.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";

const require = createRequire(import.meta.url);

export interface KinesisLocalOptions extends StackOptions {
  /** Streams that exist from the start, each with its count of shards; in `region`. */
  readonly streams?: Readonly<Record<string, number>> | undefined;
  /** Default us-east-1. */
  readonly region?: string | undefined;
  /** How long creating, splitting and so on takes, milliseconds; default 50 (AWS: half a minute). */
  readonly transitionMs?: number | undefined;
}

/** Shards over all streams that one kinesis-local allows: enough for every test of a run. */
const shardLimit = 10_000;

const transitions = [
  "CREATE_STREAM",
  "DELETE_STREAM",
  "REGISTER_STREAM_CONSUMER",
  "DEREGISTER_STREAM_CONSUMER",
  "MERGE_SHARDS",
  "SPLIT_SHARD",
  "UPDATE_SHARD_COUNT",
];

/**
 * Starts kinesis-local, the npm package of kinesis-mock: an independent Kinesis to be measured against. Slow: not for load.
 *
 * Its plain endpoint speaks HTTP/1.1; the AWS SDK's own Kinesis handler speaks HTTP/2, so hand the client a `NodeHttpHandler`.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when the optional peer `kinesis-local` is not installed; StackStartError
 */
export async function startKinesisLocal(options: KinesisLocalOptions = {}): Promise<LocalService> {
  const resolved = resolveStackOptions(options);
  const { region = "us-east-1", transitionMs = 50, streams = {} } = options;
  const main = peerFile("kinesis-local", () => require.resolve("kinesis-local/main.js"));
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const durations = transitions.map((transition) => [`${transition}_DURATION`, `${transitionMs}ms`]);
  const initial = Object.entries(streams).map(([name, shards]) => `${name}:${shards}:${region}`);
  const env: NodeJS.ProcessEnv = {
    ...resolved.env,
    // Flags of the test runner that started us are not for it.
    NODE_OPTIONS: "",
    KINESIS_MOCK_PLAIN_PORT: String(port),
    KINESIS_MOCK_TLS_PORT: String(tlsPort),
    // It looks for its certificate in the current folder, and dies without one.
    KINESIS_MOCK_CERT_PATH: join(dirname(main), "server.json"),
    SHARD_LIMIT: String(shardLimit),
    AWS_REGION: region,
    LOG_LEVEL: "ERROR",
    ...Object.fromEntries(durations),
    ...(initial.length === 0 ? {} : { INITIALIZE_STREAMS: initial.join(",") }),
  };
  const program = { title: "kinesis-local", command: process.execPath, args: [main], port, env };
  return await startService({ ...program, readyPath: "/healthcheck" }, resolved);
}
