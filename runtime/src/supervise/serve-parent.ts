import type { Clock } from "@pulsar-ts-io/core";
import type { Attempt } from "./attempt.ts";
import { packFailure } from "./child-failure.ts";
import type { FromChild, ToChild } from "./child-messages.ts";

/** How often it tells unasked how it goes. */
const tellEveryMs = 1_000;
/** How often it looks whether its source is open: from then on it is started again when it fails. */
const lookEveryMs = 100;

/** The way to the parent. */
export interface ParentLink {
  onMessage(listener: (message: ToChild) => void): void;
  /** Called once nobody listens any more. */
  onGone(listener: () => void): void;
  /** Resolves when the message has left, or can not. */
  send(message: FromChild): Promise<void>;
}

export interface ServeParentOptions {
  /** Makes the instance, unless it is to stop before. */
  readonly open: (job: unknown, signal: AbortSignal) => Promise<Attempt>;
  readonly clock: Clock;
  /** Told to stop by somebody other than the parent. */
  readonly signal: AbortSignal;
}

/** Runs one instance for a parent process: until the parent says stop, or is gone. Then it drains, and tells how it ended. */
export async function serveParent(link: ParentLink, options: ServeParentOptions): Promise<void> {
  const { open, clock, signal } = options;
  const stop = new AbortController();
  const told = new AbortController();
  let attempt: Attempt | undefined;
  const job = new Promise<unknown>((resolve) => {
    link.onMessage((message) => {
      if (message.kind === "run") resolve(message.job);
      else if (message.kind === "stop") stop.abort(new Error("the parent said stop"));
      else if (attempt !== undefined) void answer(link, attempt);
    });
    link.onGone(() => {
      stop.abort(new Error("the parent is gone"));
      resolve(undefined);
    });
  });
  signal.addEventListener("abort", () => stop.abort(signal.reason));
  let failure: unknown;
  try {
    const received = await job;
    if (received === undefined) return;
    attempt = await open(received, stop.signal);
    const telling = tell(link, attempt, clock, told.signal);
    await attempt.run(stop.signal).finally(() => told.abort(new Error("the instance has ended")));
    await telling;
  } catch (error) {
    if (!stop.signal.aborted || error !== stop.signal.reason) failure = error;
  }
  const last = { kind: "ended", view: attempt?.view() } as const;
  await link.send(failure === undefined ? last : { ...last, failure: packFailure(failure) });
}

async function answer(link: ParentLink, attempt: Attempt): Promise<void> {
  const metrics = await attempt.metrics();
  await link.send({ kind: "seen", view: attempt.view(), metrics });
}

async function tell(link: ParentLink, attempt: Attempt, clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    while (!signal.aborted) {
      if (attempt.view().opened) await clock.sleep(tellEveryMs, signal);
      else await opened(attempt, clock, signal);
      await link.send({ kind: "seen", view: attempt.view() });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function opened(attempt: Attempt, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!attempt.view().opened) await clock.sleep(lookEveryMs, signal);
}
