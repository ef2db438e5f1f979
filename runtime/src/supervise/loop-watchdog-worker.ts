import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import process from "node:process";
import { workerData } from "node:worker_threads";
import type { LoopWatch } from "./loop-watchdog.ts";

/** A process that is busy in code other than JavaScript does not hear the debugger. */
const deafMs = 2_000;
const looksPerLimit = 20;

const { beats, limitMs, exitCode } = workerData as LoopWatch; // started by loop-watchdog.ts alone
const counter = new Int32Array(beats);
let seen = 0;
let missed = 0;

const timer = setInterval(() => {
  const now = Atomics.load(counter, 0);
  // Looks are counted, not time: one that comes late, after the whole process slept, is one.
  missed = now === seen ? missed + 1 : 0;
  seen = now;
  if (missed < looksPerLimit) return;
  clearInterval(timer);
  endProcess();
}, limitMs / looksPerLimit);

/** A thread cannot end its process; a debugger can. It does not wait for a turn of the loop. */
function endProcess(): void {
  say(
    `error: the event loop was blocked for ${limitMs} ms, the process is ended [PIO_LOOP_BLOCKED]\n` +
      "remedy: report it to the connector's author: something in it computes without a pause\n",
  );
  setTimeout(() => process.kill(process.pid, "SIGKILL"), deafMs);
  const session = new Session();
  session.connectToMainThread();
  // Node would say on standard error that it waits for the debugger.
  const expression = `try { process.getBuiltinModule("node:fs").closeSync(2); } catch {} process.reallyExit(${exitCode})`;
  session.post("Runtime.evaluate", { expression });
}

function say(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Whoever read it is gone: all the more must this process end.
  }
}
