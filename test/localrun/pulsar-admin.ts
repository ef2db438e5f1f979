import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type JavaProgram, prepareJava } from "@pulsar-ts-io/testkit";

const shim = fileURLToPath(new URL("../../runtime/bin/function-localrunner.js", import.meta.url));

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Pulsar's pulsar-admin on a Pulsar home whose function-localrunner is ours. */
export class PulsarAdminHome implements AsyncDisposable {
  readonly #java: JavaProgram;
  readonly #home: string;

  private constructor(java: JavaProgram, home: string) {
    this.#java = java;
    this.#home = home;
  }

  static async make(): Promise<PulsarAdminHome> {
    const java = await prepareJava({
      path: file("PulsarAdmin.java"),
      jars: {
        name: "pulsar-admin",
        pom: file("pom.xml"),
        version: "4.0.8",
        title: "pulsar-admin 4.0.8",
        megabytes: 82,
        duration: "about a minute",
      },
    });
    const home = await mkdtemp(join(tmpdir(), "pulsar-home-"));
    await mkdir(join(home, "bin"));
    await symlink(shim, join(home, "bin", "function-localrunner"));
    await writeFile(join(home, "client.conf"), "webServiceUrl=http://127.0.0.1:1/\n");
    return new PulsarAdminHome(java, home);
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): PulsarAdminRun {
    const { java, args: flags } = this.#java;
    const conf = join(this.#home, "client.conf");
    const child = spawn(java, ["-XX:TieredStopAtLevel=1", ...flags, conf, ...args], {
      env: { PATH: process.env["PATH"], PULSAR_HOME: this.#home, ...env },
      // A process group of its own: as on a terminal, one signal reaches all that it started.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new PulsarAdminRun(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#home, { recursive: true, force: true });
  }
}

/** One command of pulsar-admin, with all that it started. Disposing kills them. */
export class PulsarAdminRun implements AsyncDisposable {
  output = "";
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  /** When nobody holds its outputs any more. */
  readonly #closed: Promise<unknown>;
  #ended = false;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#closed = once(child, "close").then(() => {
      this.#ended = true;
    });
  }

  /** Waits until pulsar-admin and what it started have ended. @returns the exit code of pulsar-admin. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  /** What Ctrl-C on a terminal does. */
  async interrupt(): Promise<void> {
    this.#signal("SIGINT");
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.#signal("SIGKILL");
    await this.#closed;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
  }
}
