import { AsyncLocalStorage } from "node:async_hooks";
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import process from "node:process";

/** The processes that a piece of work has started. */
class Children {
  readonly #running = new Set<ChildProcess>();
  #ended = false;

  add(child: ChildProcess): void {
    if (this.#ended) child.once("spawn", () => endProcess(child));
    else this.#running.add(child);
  }

  /** Ends them, and those that the work still starts. */
  end(): void {
    this.#ended = true;
    for (const child of this.#running) endProcess(child);
    this.#running.clear();
  }
}

const current = new AsyncLocalStorage<Children>();
let subscribed = false;
/** Pieces of work under way. */
let active = 0;

/**
 * Runs `work` and keeps the child processes that it starts.
 *
 * The SDK starts the command of a `credential_process` without a time-out and without a way to end it. A command that never ends
 * would keep this process alive, too.
 *
 * @returns the work, and what ends its processes that still run.
 */
export function withChildren<T>(work: () => Promise<T>): {
  readonly result: Promise<T>;
  readonly endChildren: () => void;
} {
  if (!subscribed) subscribe("child_process", note);
  subscribed = true;
  const children = new Children();
  active += 1;
  const release = () => {
    active -= 1;
    // As long as a storage is in use, every promise of the process costs more.
    if (active === 0) current.disable();
  };
  return { result: current.run(children, work).finally(release), endChildren: () => children.end() };
}

function note(message: unknown): void {
  const children = current.getStore();
  if (children === undefined || typeof message !== "object" || message === null) return;
  // Node documents `process` as the ChildProcess that was created.
  if ("process" in message) children.add(message.process as ChildProcess);
}

/** The SDK starts a shell, which starts the command: both end, and their pipes no longer keep this process alive. */
function endProcess(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    for (const pid of [...descendantsOf(child.pid), child.pid]) kill(pid);
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
}

/** On Linux. Elsewhere the command outlives its shell. */
function descendantsOf(pid: number): readonly number[] {
  let children: readonly number[] = [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    children = text.split(" ").filter(Boolean).map(Number);
  } catch {
    // There is no such file system, or the process has ended.
  }
  return children.flatMap((child) => [...descendantsOf(child), child]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
