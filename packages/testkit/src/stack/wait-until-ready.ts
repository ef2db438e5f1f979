import { systemClock } from "@pulsar-ts-io/core";
import type { Child } from "./child.ts";
import { StackStartError } from "./stack-errors.ts";

export interface WaitOptions {
  /** For people: "the Pulsar broker". */
  readonly title: string;
  /** Milliseconds it may take. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

const pollMs = 100;

/**
 * Asks `isReady` until it says so; a throw means not yet.
 *
 * @throws StackStartError (`PIO_STACK_START_FAILED`) when the process ended or the time is over, with its last lines.
 */
export async function waitUntilReady(
  child: Child,
  isReady: () => Promise<boolean>,
  options: WaitOptions,
): Promise<void> {
  const { title, withinMs, signal } = options;
  const deadline = performance.now() + withinMs;
  while (true) {
    signal.throwIfAborted();
    if (await isReady().catch(() => false)) return;
    if (!child.running) {
      throw new StackStartError(
        `${title} ended with ${child.exit} while it started:\n${await child.lastLines()}`,
      );
    }
    if (performance.now() > deadline) {
      throw new StackStartError(
        `${title} was not ready after ${Math.round(withinMs / 1_000)} s:\n${await child.lastLines()}`,
      );
    }
    await systemClock.sleep(pollMs, signal);
  }
}

/** Whether a GET of `url` is answered with a status below 500, within a second. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
  await response.arrayBuffer();
  return response.status < 500;
}
