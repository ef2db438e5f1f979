import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { prepareJava } from "./java-program.ts";
import { packageFile } from "./package-file.ts";
import { pulsarArtifacts, pulsarVersion } from "./pulsar-jars.ts";
import { StackRequestError } from "./stack-errors.ts";
import { resolveStackOptions, type StackOptions } from "./stack-options.ts";

/** A message as Pulsar's Java client sees it. */
export interface TopicMessage {
  /** The partition's own topic where there are partitions. */
  readonly topic: string;
  /** `ledger:entry:partition`, and `:batchIndex` for a message of a batch. */
  readonly id: string;
  /** -1 when the topic is not partitioned. */
  readonly partition: number;
  readonly producer: string;
  readonly sequenceId: bigint;
  readonly key: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; 0 when none was set. */
  readonly eventTime: number;
  readonly publishTime: number;
  /** Payload bytes. */
  readonly length: number;
  /** Of the payload, hex. */
  readonly sha256: string;
  /** The payload, when it is not longer than `bytesUpTo`. */
  readonly value: Buffer | undefined;
}

export interface ReadTopicOptions extends StackOptions {
  readonly serviceUrl: string;
  /** One topic or several, partitioned or not. */
  readonly topic: string | readonly string[];
  /** Ends after so many messages; default: any number. */
  readonly count?: number | undefined;
  /** Ends when all that is there was read and no message came for so long, milliseconds; 0: never. Default 1 000. */
  readonly idleMs?: number | undefined;
  /** Longest payload that is handed over whole, bytes; default 1 024. */
  readonly bytesUpTo?: number | undefined;
  readonly token?: string | undefined;
  /** PEM file of the authority that signed the broker's certificate, for `pulsar+ssl://`. */
  readonly tlsTrustCertsFile?: string | undefined;
}

/**
 * Yields the messages of a topic from the earliest on, read by Pulsar's own Java client: eyes that are not ours.
 *
 * In order for each partition. Starting the JVM takes about two seconds. Break out of the loop, or abort, to end it.
 *
 * @throws StackPartMissingError, StackFetchError; StackRequestError (`PIO_STACK_REQUEST_FAILED`) with the client's reason.
 */
export async function* readTopic(options: ReadTopicOptions): AsyncGenerator<TopicMessage, void, undefined> {
  const resolved = resolveStackOptions(options);
  const { signal } = resolved;
  const { serviceUrl, topic, count = 0, idleMs = 1_000, bytesUpTo = 1_024 } = options;
  const jars = pulsarArtifacts(pulsarVersion);
  const program = await prepareJava({ path: packageFile("stack/ReadBack.java"), jars }, resolved);
  const topics = typeof topic === "string" ? [topic] : topic;
  const numbers = [count, idleMs, bytesUpTo].map(String);
  const child = spawn(program.java, [...jvmFlags, ...program.args, serviceUrl, ...numbers, ...topics], {
    // Its standard input stays open as long as we live: the reader ends with us, also when we are killed.
    stdio: "pipe",
    env: {
      ...resolved.env,
      PULSAR_TOKEN: options.token ?? "",
      PULSAR_TLS_TRUST_CERTS: options.tlsTrustCertsFile ?? "",
    },
    signal,
    killSignal: "SIGKILL",
  });
  const ended = once(child, "close").catch(() => {}); // an abort rejects it; it is thrown below
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-8_000);
  });
  let complete = false;
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const row: unknown = JSON.parse(line);
      if (isObject(row) && "end" in row) complete = true;
      else if (isObject(row) && "id" in row) yield parse(row as unknown as Row); // our own program's line
    }
    await ended;
    signal.throwIfAborted();
    if (!complete)
      throw new StackRequestError(`reading ${topics.join(", ")} back failed: ${reason(complaint)}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

/** All messages of {@link readTopic}. */
export async function readTopicToEnd(options: ReadTopicOptions): Promise<readonly TopicMessage[]> {
  const messages: TopicMessage[] = [];
  for await (const message of readTopic(options)) messages.push(message);
  return messages;
}

const jvmFlags = [
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dorg.apache.logging.log4j.level=ERROR",
  "--add-opens=java.base/sun.net=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED",
];

/** A line of ReadBack.java. */
interface Row extends Omit<TopicMessage, "sequenceId" | "value" | "key"> {
  readonly sequenceId: string;
  readonly key?: string;
  readonly base64?: string;
}

function parse(row: Row): TopicMessage {
  const { base64, sequenceId, key, ...rest } = row;
  return {
    ...rest,
    key,
    sequenceId: BigInt(sequenceId),
    value: base64 === undefined ? undefined : Buffer.from(base64, "base64"),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** The exception's own line out of what a JVM prints. */
function reason(complaint: string): string {
  const lines = complaint.trim().split("\n");
  return (
    lines.find((line) => /^(Exception|Caused by)|Exception:|error:/.test(line)) ??
    lines.at(-1) ??
    "no reason given"
  );
}
