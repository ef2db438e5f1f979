import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type JavaProgram, prepareJava } from "@pulsar-ts-io/testkit";
import { eventually } from "../harness/eventually.ts";
import { distinct, type Sighting } from "./sighting.ts";

/** What Pulsar's connector is built with, what its release 4.0.8 carries, and the newest of KCL 3. */
export type KclVersion = "2.6.0" | "3.1.2" | "3.5.1";

export interface JavaWorkerOptions {
  readonly kcl: KclVersion;
  readonly streamName: string;
  readonly applicationName: string;
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  /** Default `0`, as Pulsar's connector names its first instance. */
  readonly workerId?: string;
  /** Least time between two checkpoints of a shard, milliseconds; default 0: after each batch. */
  readonly checkpointMs?: number;
  /** A ClientVersionConfig of KCL 3; default KCL's own: native. */
  readonly clientVersion?: string;
  /** Stops with a last checkpoint, which Pulsar's connector does not. */
  readonly graceful?: boolean;
  /** Default polling; `fan-out` needs a Kinesis that speaks HTTP/2 and CBOR. */
  readonly retrieval?: "polling" | "fan-out";
  /** Hands out nothing after this record, and checkpoints it. */
  readonly last?: Pick<Sighting, "sequenceNumber" | "subSequenceNumber"> | undefined;
}

export type JavaEventName = "started" | "lost" | "checkpointed" | "refused" | "requested" | "ended";

export interface JavaEvent {
  readonly event: JavaEventName;
  readonly shardId: string;
  readonly detail: string;
  readonly atMs: number;
}

/** A line of KclWorker.java. */
interface Line {
  readonly event: JavaEventName | "record" | "stopped";
  readonly shard: string;
  readonly sequence?: string;
  readonly sub?: number;
  readonly data?: string;
  readonly detail?: string;
}

const jvmFlags = [
  "-Xmx256m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
];
/** kinesis-local's answers are JSON. */
const jsonFlag = "-Daws.cborEnabled=false";
const complaintLines = 60;
/** What a line takes at most until it is heard, milliseconds. */
const lineMs = 100;

/** Fetches that KCL and compiles its worker, each once: longer than a test may take. */
export async function prepareKcl(version: KclVersion): Promise<JavaProgram> {
  const jars = {
    name: "kcl",
    pom: fileURLToPath(new URL("pom.xml", import.meta.url)),
    version,
    properties: { "kcl.version": version },
    title: `the Java KCL ${version}`,
    megabytes: 75,
    duration: "about a minute",
  };
  const report = (line: string) => process.stderr.write(`stack: ${line}\n`);
  return await prepareJava(
    { path: fileURLToPath(new URL("KclWorker.java", import.meta.url)), jars },
    { report },
  );
}

/** A worker of the real Java KCL in a process of its own. Disposing kills it. */
export class JavaWorker implements AsyncDisposable {
  readonly records: Sighting[] = [];
  readonly events: JavaEvent[] = [];
  /** The lines of its log that tell an error or an exception. */
  readonly failures: string[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #complaint: string[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, "close");
    child.stdin?.on("error", () => {}); // it may be dead already
    if (child.stdout === null || child.stderr === null)
      throw new Error("the worker was started without pipes");
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line));
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.#complaint.push(line);
      if (/ ERROR |Exception/.test(line)) this.failures.push(line);
      if (this.#complaint.length > complaintLines) this.#complaint.shift();
    });
  }

  static async start(options: JavaWorkerOptions): Promise<JavaWorker> {
    const { java, args } = await prepareKcl(options.kcl);
    const { retrieval = "polling", last } = options;
    const settings = {
      stream: options.streamName,
      application: options.applicationName,
      worker: options.workerId ?? "0",
      kinesis: options.kinesisEndpoint,
      dynamo: options.dynamoEndpoint,
      checkpointMs: options.checkpointMs ?? 0,
      stop: options.graceful === true ? "graceful" : "connector",
      retrieval,
      ...(last === undefined ? {} : { last: `${last.sequenceNumber}/${last.subSequenceNumber}` }),
      ...(options.clientVersion === undefined ? {} : { version: options.clientVersion }),
    };
    const named = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    const flags = retrieval === "polling" ? [...jvmFlags, jsonFlag] : jvmFlags;
    // It ends with its standard input, and so with us, also when we are killed.
    return new JavaWorker(spawn(java, [...flags, ...args, ...named], { stdio: "pipe" }));
  }

  /** The events of that name, oldest first. */
  eventsOf(name: JavaEventName): readonly JavaEvent[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** The ends of the shards that it read to their end, as if they were the last records. */
  get ends(): readonly Sighting[] {
    return this.eventsOf("ended").map(({ shardId, atMs }) => {
      return {
        shardId,
        sequenceNumber: `end of ${shardId}`,
        subSequenceNumber: 0,
        data: "",
        atMs: atMs - lineMs,
      };
    });
  }

  /** Waits until it has handed out `count` different records. */
  async handedOut(count: number, timeoutMs?: number): Promise<void> {
    await this.until(`${count} records from Java`, () => distinct(this.records) >= count, timeoutMs);
  }

  /** Waits for `look`; the failure tells what Java complained about. */
  async until(what: string, look: () => boolean, timeoutMs = 90_000): Promise<void> {
    await eventually(
      what,
      () => {
        if (this.#child.exitCode === null) return look();
        throw new Error(`the Java worker ended:\n${this.#complaint.join("\n")}`);
      },
      { timeoutMs },
    ).catch((cause: unknown) => {
      throw new Error(`${what} did not come; Java said:\n${this.#complaint.join("\n")}`, { cause });
    });
  }

  /** Stops it as its options say, and waits for its end. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }

  /** SIGSTOP: it holds its leases and does nothing, until {@link wake}. */
  sleep(): void {
    this.#child.kill("SIGSTOP");
  }

  wake(): void {
    this.#child.kill("SIGCONT");
  }

  /** SIGKILL, and the end of the process. */
  async crash(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
  }

  #heard(text: string): void {
    const atMs = performance.now();
    const line = JSON.parse(text) as Line; // our own program's
    const { event, shard, sequence = "", sub = 0, data = "", detail = "" } = line;
    if (event === "record")
      this.records.push({ shardId: shard, sequenceNumber: sequence, subSequenceNumber: sub, data, atMs });
    else if (event !== "stopped") this.events.push({ event, shardId: shard, detail, atMs });
  }
}
