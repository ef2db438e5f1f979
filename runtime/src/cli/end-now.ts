import process from "node:process";
import { exitCodes } from "./exit-codes.ts";

/** The signals by which a process ends that was stopped: a shell shows 128 and their number, as the exit codes say. */
const signals: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [exitCodes.ok, "SIGTERM"],
  [exitCodes.interrupted, "SIGINT"],
  [exitCodes.terminated, "SIGTERM"],
]);

/**
 * Ends this process although a thread of its pool is blocked, which `process.exit` would wait for: from Node 22.15 on with `code`, before
 * that by a signal.
 */
export function endNow(code: number): void {
  process.emit("exit", code); // child processes end with this one
  try {
    if ("execve" in process && typeof process.execve === "function")
      process.execve(process.execPath, [process.execPath, "-e", `process.exit(${code})`], process.env);
  } catch {
    // Not every system can replace a process.
  }
  const signal = signals.get(code) ?? "SIGKILL";
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
