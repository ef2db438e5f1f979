import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { StackPartMissingError, StackStartError } from "./stack-errors.ts";

export interface ChildOptions {
  /** Where its output goes, appended. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Where it runs; it is removed when the watchdog has to end the process. */
  readonly folder: string;
  /** Gives it a standard input that stays open as long as we live; default: an empty one. */
  readonly holdInput?: boolean | undefined;
  /** How long it may take to end after SIGTERM before it is killed, milliseconds; default 10 000. */
  readonly stopMs?: number | undefined;
}

/**
 * A process that cannot outlive this one.
 *
 * It leads a process group of its own (a Ctrl-C on the terminal is for us, and we stop it in order), and a watchdog
 * that waits for the end of a pipe from us kills that group, also when we are killed with SIGKILL.
 */
export class Child implements AsyncDisposable {
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  readonly #watchdog: ChildProcess | undefined;
  readonly #stopMs: number;

  private constructor(started: ChildProcess, pid: number, options: ChildOptions) {
    this.#process = started;
    this.pid = pid;
    this.logFile = options.logFile;
    this.#stopMs = options.stopMs ?? 10_000;
    this.#watchdog = watch(pid, options.folder);
    this.ended = hasEnded(started) ? Promise.resolve() : once(started, "exit").then(() => {});
    this.ended.then(
      () => this.#watchdog?.stdin?.end("ended\n"),
      () => {},
    );
    // A handle that was forgotten must not keep the program from ending; the watchdog then ends the child.
    started.unref();
  }

  /** @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) when `command` is not installed. */
  static async start(command: string, args: readonly string[], options: ChildOptions): Promise<Child> {
    const log = openSync(options.logFile, "a");
    try {
      const started = spawn(command, args, {
        stdio: [options.holdInput === true ? "pipe" : "ignore", log, log],
        detached: true,
        ...(options.env === undefined ? {} : { env: options.env }),
        cwd: options.folder,
      });
      await once(started, "spawn").catch((cause: unknown) => {
        throw new StackPartMissingError(`${command} could not be run`, {
          cause,
          remedy: `install ${command} and see that it is on the PATH`,
        });
      });
      const { pid } = started;
      if (pid === undefined) throw new StackStartError(`${command} was started and has no process id`);
      return new Child(started, pid, options);
    } finally {
      closeSync(log);
    }
  }

  get running(): boolean {
    return !hasEnded(this.#process);
  }

  /** The exit code, or the name of the signal that ended it; `undefined` while it runs. */
  get exit(): number | string | undefined {
    return this.#process.exitCode ?? this.#process.signalCode ?? undefined;
  }

  /** SIGKILL to the whole group; waits for the end. Idempotent. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#awaitEnd();
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. Idempotent. */
  async stop(): Promise<void> {
    if (!this.running) return;
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.#signal("SIGKILL"), this.#stopMs);
    try {
      await this.#awaitEnd();
    } finally {
      clearTimeout(timer);
    }
  }

  /** The last `count` lines it printed. */
  async lastLines(count = 15): Promise<string> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-count).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #awaitEnd(): Promise<void> {
    this.#process.ref(); // it is waited for: the program must not end before
    await this.ended;
  }

  #signal(name: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      process.kill(-this.pid, name);
    } catch {
      // The group ended between the check and the signal.
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/**
 * Kills the group of `pid`, and removes its folder, when the pipe ends without a line: this process is gone then.
 * Detached, so that nothing that ends our own group ends the watchdog before it has done its work.
 */
function watch(pid: number, folder: string): ChildProcess | undefined {
  if (process.platform === "win32") return undefined;
  // First the group; then what left the group and still has the folder in its arguments, as LocalStack's servers do. The
  // pause: a file that is being written at that moment would keep its folder.
  const script = `if read -r _; then exit 0; fi
    kill -9 "-$1"
    for pid in $(ps -A -o pid= -o args= | grep -F -- "$2/" | awk '{ print $1 }'); do kill -9 "$pid"; done
    sleep 1
    rm -rf "$2"`;
  const watchdog = spawn("/bin/sh", ["-c", script, "watchdog", String(pid), folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watchdog.on("error", () => {}); // without /bin/sh there is no watchdog, and the rest works
  watchdog.stdin?.on("error", () => {});
  watchdog.unref();
  if (watchdog.stdin !== null && "unref" in watchdog.stdin && typeof watchdog.stdin.unref === "function") {
    watchdog.stdin.unref();
  }
  return watchdog;
}
