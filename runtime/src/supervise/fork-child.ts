import { type ForkOptions, fork } from "node:child_process";
import { createInterface } from "node:readline";
import type { Child, ChildListener, FromChild, ToChild } from "./child-messages.ts";

/** Where the child writes its log once nobody reads its standard error. */
export const orphanLogFd = 4;
/** How long a process that ended may still be heard. */
const lastWordsMs = 1_000;

export interface ForkChildOptions {
  /** The program. */
  readonly entry: string;
  /** Takes a line of its log, with its newline. */
  readonly write: (line: string) => void;
  /** This process. However it ends, the child ends with it. */
  readonly process: ExitProcess;
}

/** The part of `process` that tells of its end. */
export interface ExitProcess {
  on(event: "exit", listener: () => void): unknown;
  off(event: "exit", listener: () => void): unknown;
}

/**
 * Starts a process of its own for an instance. It writes its data to the standard output of this one, and its log to `write`.
 *
 * Its command line holds nothing but the program. As its file descriptor {@link orphanLogFd} it has this process's standard error,
 * for its last lines when this process is gone.
 */
export function forkChild({ entry, write, process }: ForkChildOptions, listener: ChildListener): Child {
  const options: ForkOptions = { serialization: "advanced", stdio: ["ignore", "inherit", "pipe", "ipc", 2] };
  const child = fork(entry, [], options);
  const kill = () => void child.kill("SIGKILL");
  let gone = false;
  const leave = (code: number | null, signal: NodeJS.Signals | null) => {
    if (gone) return;
    gone = true;
    process.off("exit", kill);
    listener.exited(code, signal);
  };
  process.on("exit", kill);
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on("line", (line) => write(`${line}\n`));
  // The program at the other end is ours.
  child.on("message", (message) => listener.message(message as FromChild));
  // Not at once: its last lines and its last word are still on their way. What it started itself may hold its outputs open.
  child.on("exit", (code, signal) => void setTimeout(() => leave(code, signal), lastWordsMs));
  child.on("close", leave);
  child.on("error", () => {
    if (child.pid === undefined) leave(null, null);
  });
  return {
    send(message: ToChild) {
      if (child.connected) child.send(message, () => undefined); // one that dies meanwhile tells by its end
    },
    kill,
    get alive() {
      return child.exitCode === null && child.signalCode === null;
    },
  };
}
