import { spawn } from "node:child_process";
import process from "node:process";
import { exitCodes } from "./exit-codes.ts";

/** The signals by which a process ends that was stopped: a shell shows 128 and their number, as the exit codes say. */
const signals: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [exitCodes.ok, "SIGTERM"],
  [exitCodes.interrupted, "SIGINT"],
  [exitCodes.terminated, "SIGTERM"],
]);

/** How long the exit may wait for the thread pool before the guard ends it, milliseconds. */
const exitWithinMs = 300;

/**
 * Makes sure that the exit that follows is not held up by a blocked thread of the pool, which `process.exit` waits for. From Node 22.15
 * on this ends the process itself, with `code`. Before that a guard process ends it by a signal, unless it exits in time by itself.
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
  const guard = `setTimeout(() => { try { process.kill(${process.pid}, "${signal}") } catch {} }, ${exitWithinMs})`;
  spawn(process.execPath, ["-e", guard], { detached: true, env: {}, stdio: "ignore" }).unref();
}
