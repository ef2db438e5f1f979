import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Child } from "./child.ts";
import type { LocalService } from "./dynamodb-local.ts";
import { freePorts } from "./free-ports.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";
import { answers, waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

export interface KinesisLocalOptions extends StackOptions {
  /** Streams that exist from the start, each with its count of shards; in us-east-1 unless `region` says otherwise. */
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
  const { signal, env } = resolveStackOptions(options);
  const { region = "us-east-1", transitionMs = 50, streams = {} } = options;
  const main = locate();
  const folder = await openWorkFolder("kinesis");
  const [plainPort = 0, tlsPort = 0] = await freePorts(2);
  const endpoint = `http://127.0.0.1:${plainPort}`;
  const settings: Record<string, string> = {
    KINESIS_MOCK_PLAIN_PORT: String(plainPort),
    KINESIS_MOCK_TLS_PORT: String(tlsPort),
    // It looks for its certificate in the current folder, and dies without one.
    KINESIS_MOCK_CERT_PATH: join(dirname(main), "server.json"),
    SHARD_LIMIT: String(shardLimit),
    AWS_REGION: region,
    LOG_LEVEL: "ERROR",
    INITIALIZE_STREAMS: Object.entries(streams)
      .map(([name, shards]) => `${name}:${shards}:${region}`)
      .join(","),
  };
  for (const transition of transitions) settings[`${transition}_DURATION`] = `${transitionMs}ms`;
  if (settings["INITIALIZE_STREAMS"] === "") delete settings["INITIALIZE_STREAMS"];
  const child = await Child.start(process.execPath, [main], {
    logFile: join(folder.path, "kinesis.log"),
    folder: folder.path,
    // Flags of the test runner that started us are not for it.
    env: { ...env, NODE_OPTIONS: "", ...settings },
  });
  const stop = async () => {
    await child.kill();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await waitUntilReady(child, () => answers(`${endpoint}/healthcheck`), {
      title: "kinesis-local",
      withinMs: 60_000,
      signal,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, pid: child.pid, stop, [Symbol.asyncDispose]: stop };
}

function locate(): string {
  try {
    return createRequire(import.meta.url).resolve("kinesis-local");
  } catch (cause) {
    throw new StackPartMissingError("the package kinesis-local is not installed", {
      cause,
      remedy: "npm install --save-dev kinesis-local@0.6.2",
    });
  }
}
