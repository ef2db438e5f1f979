import { writeSync } from "node:fs";
import type { Writable } from "node:stream";
import { systemClock, toError } from "@pulsar-ts-io/core";
import { logProcessWarnings, type WarningProcess } from "../logging/process-warnings.ts";
import { openState } from "../state/open-state.ts";
import type { Attempt } from "../supervise/attempt.ts";
import type { FromChild, ToChild } from "../supervise/child-messages.ts";
import { orphanLogFd } from "../supervise/fork-child.ts";
import { watchLoop } from "../supervise/loop-watchdog.ts";
import { type ParentLink, serveParent } from "../supervise/serve-parent.ts";
import { endNow } from "./end-now.ts";
import { endProcess } from "./end-process.ts";
import { exitCodes } from "./exit-codes.ts";
import { type InstanceJob, openAttempt } from "./instance-job.ts";
import { measure } from "./measure.ts";
import { formatError } from "./report-error.ts";
import { createSourceLogger } from "./source-logger.ts";
import { UnexpectedError } from "./usage-error.ts";

/** The process of one instance, as Node gives it. */
export interface ChildProcess extends WarningProcess {
  on(event: "SIGINT" | "SIGTERM" | "disconnect", listener: () => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "warning", listener: (warning: Error) => void): unknown;
  on(event: "uncaughtException" | "unhandledRejection", listener: (error: unknown) => void): unknown;
  send?(message: FromChild, sent: (error: Error | null) => void): unknown;
  exit(code: number): never;
  getActiveResourcesInfo?(): readonly string[];
  title: string;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Runs one instance for the parent process, which says which one and when to stop, and ends the process. */
export async function runInstanceChild(proc: ChildProcess): Promise<void> {
  let write = (line: string): void => void proc.stderr.write(line);
  proc.on("disconnect", () => {
    write = writeAsOrphan;
  });
  proc.on("SIGINT", () => undefined); // a terminal sends it to all; the parent knows what to do
  const stop = new AbortController();
  proc.on("SIGTERM", () => stop.abort(new Error("SIGTERM received")));
  // Who read it may be gone before this process is.
  proc.stderr.on("error", () => undefined);
  proc.stdout.on("error", () => undefined);
  const onDefect = (error: unknown) => {
    const message = `something failed unexpectedly: ${toError(error).message}`;
    const remedy = "report it to the connector's or this program's authors";
    write(formatError(new UnexpectedError(message, { cause: error, remedy }), false));
    proc.exit(exitCodes.internal);
  };
  proc.on("uncaughtException", onDefect);
  proc.on("unhandledRejection", onDefect);
  const open = (received: unknown, signal: AbortSignal): Promise<Attempt> => {
    const job = received as InstanceJob; // the parent is of the same program
    proc.title = `pulsar-ts-io instance ${job.instance.instanceId}`;
    const logger = createSourceLogger(job.log, (line) => write(line));
    logProcessWarnings(proc, logger);
    watchLoop(job.limits.stallTimeoutMs, exitCodes.blocked);
    const measurements = measure(job.measured, systemClock, job.limits.maxMemoryBytes);
    const parts = { ...measurements, state: openState(job.state, job.instance) };
    return openAttempt(
      job,
      { clock: systemClock, logger, write: (line) => write(line), data: proc.stdout, ...parts },
      signal,
    );
  };
  await serveParent(linkOf(proc), { open, clock: systemClock, signal: stop.signal });
  const activeResources = () => proc.getActiveResourcesInfo?.() ?? [];
  await endProcess({ exit: (code) => proc.exit(code), endNow, activeResources }, exitCodes.ok);
}

/** The parent showed the log, and is gone: its own standard error is what is left. */
function writeAsOrphan(line: string): void {
  try {
    writeSync(orphanLogFd, line);
  } catch {
    // Whoever read the log is gone, too, or its disk is full: the drain goes on without it.
  }
}

function linkOf(proc: ChildProcess): ParentLink {
  return {
    onMessage: (listener) => void proc.on("message", (message) => listener(message as ToChild)), // as above
    onGone: (listener) => void proc.on("disconnect", listener),
    send: (message) =>
      new Promise((resolve) => {
        if (proc.send === undefined) resolve();
        else proc.send(message, () => resolve());
      }),
  };
}
