import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type JavaProgram, mavenJars, prepareJava } from "@pulsar-ts-io/testkit";
import { awsTestCredentials } from "../../harness/cli.ts";

const version = "4.0.8";
export const connectorTitle = `Pulsar's Kinesis connector ${version} in its LocalRunner`;

/**
 * Those of Pulsar's own bin/function-localrunner, but for three, each for Java's good: 512 MiB of heap instead of 128 (in those, and in
 * 256, it ended with OutOfMemoryError); the serial collector instead of ZGC, which took more CPU time and has its heap counted
 * three times as resident; and memory is not touched before it is needed.
 */
export const jvmFlags = [
  "-Xmx512m",
  "-XX:MaxDirectMemorySize=128m",
  "-XX:+UseSerialGC",
  "-XX:+PerfDisableSharedMem",
  "-XX:+ExitOnOutOfMemoryError",
  "-Dpulsar.allocator.exit_on_oom=true",
  "-Dio.netty.recycler.maxCapacityPerThread=4096",
  "-Dio.netty.tryReflectionSetAccessible=true",
  "-Djute.maxbuffer=10485760",
  "-Djava.net.preferIPv4Stack=true",
  "--add-opens=java.base/java.util.zip=ALL-UNNAMED",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
];
const logFlag = `-Dlog4j2.configurationFile=${file("log4j2.xml")}`;
const keptLines = 60;

/** The released connector, ready to be run. Disposing removes what it unpacked. */
export class JavaConnector implements AsyncDisposable {
  readonly #program: JavaProgram;
  readonly #folder: string;

  private constructor(program: JavaProgram, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  /** Fetches what is missing: 350 MB from Maven Central. */
  static async prepare(report: (line: string) => void): Promise<JavaConnector> {
    const jars = {
      name: "pulsar-local-runner",
      pom: file("runner-pom.xml"),
      version,
      title: `Pulsar's LocalRunner ${version}`,
      megabytes: 206,
      duration: "about a minute",
    };
    const program = await prepareJava({ path: file("JavaConnectorRun.java"), jars }, { report });
    const connector = {
      name: "pulsar-io-kinesis",
      pom: file("connector-pom.xml"),
      version,
      title: `Pulsar's Kinesis connector ${version}`,
      megabytes: 146,
      duration: "about half a minute",
    };
    const nar = await mavenJars(connector, { report });
    const [name = ""] = (await readdir(nar)).filter((entry) => entry.endsWith(".jar"));
    const folder = await mkdtemp(join(tmpdir(), "java-connector-"));
    await symlink(join(nar, name), join(folder, "kinesis.nar"));
    await mkdir(join(folder, "tmp"));
    return new JavaConnector(program, folder);
  }

  /** @param sourceConfig Pulsar's SourceConfig, without the archive. */
  start(sourceConfig: Readonly<Record<string, unknown>>, brokerServiceUrl: string): JavaConnectorRun {
    const { java, args } = this.#program;
    const config = { ...sourceConfig, archive: join(this.#folder, "kinesis.nar") };
    const own = ["--sourceConfig", JSON.stringify(config), "--brokerServiceUrl", brokerServiceUrl];
    // It unpacks the archive into its temporary folder, and leaves it there.
    const flags = [...jvmFlags, logFlag, `-Djava.io.tmpdir=${join(this.#folder, "tmp")}`];
    const child = spawn(java, [...flags, ...args, ...own, "--exitOnError"], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...awsTestCredentials },
      // Its standard input stays open as long as we live.
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new JavaConnectorRun(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The connector in a process of its own. Disposing kills it. */
export class JavaConnectorRun implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  /** The last of what it said. */
  readonly #lines: string[] = [];

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, "close");
    for (const input of [child.stdout, child.stderr]) {
      if (input === null) throw new Error("the connector was started without pipes");
      createInterface({ input }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > keptLines) this.#lines.shift();
      });
    }
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("Java did not start");
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get output(): string {
    return this.#lines.join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
