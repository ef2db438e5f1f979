import { setTimeout as delay } from "node:timers/promises";

/** Puts something with `put` every `everyMs`, once the last was put, until it is disposed of. */
export function feeding(put: () => Promise<unknown>, everyMs = 200): AsyncDisposable {
  const stop = new AbortController();
  const running = feed(put, everyMs, stop.signal);
  running.catch(() => {}); // disposing throws it
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function feed(put: () => Promise<unknown>, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await Promise.all([put(), delay(everyMs)]);
}
