import { Worker } from "node:worker_threads";

/** What the watching thread is started with. */
export interface LoopWatch {
  /** One 32-bit number that changes as long as the event loop turns. */
  readonly beats: SharedArrayBuffer;
  readonly limitMs: number;
  readonly exitCode: number;
}

/** How long it may be blocked where stalls may take longer: what others grant for a while has expired by then. */
const longestBlockMs = 60_000;
const beatsPerLimit = 10;

/**
 * Ends the process with `exitCode`, after two lines on standard error, when its event loop is blocked for `stallTimeoutMs`, a minute at most: whatever waits
 * in it, receipts and stores of positions too, would wait for ever. Time in which the whole process stands still does not count.
 */
export function watchLoop(stallTimeoutMs: number, exitCode: number): Disposable {
  const limitMs = Math.min(stallTimeoutMs, longestBlockMs);
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const watch: LoopWatch = { beats, limitMs, exitCode };
  const worker = new Worker(new URL("./loop-watchdog-worker.js", import.meta.url), {
    workerData: watch,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  worker.unref();
  const timer = setInterval(() => void Atomics.add(counter, 0, 1), limitMs / beatsPerLimit).unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      void worker.terminate();
    },
  };
}
