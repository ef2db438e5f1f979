import { readFile } from "node:fs/promises";
import { type Clock, remedyOf, systemClock, toError } from "@pulsar-ts-io/core";
import type { CliHost } from "./cli-host.ts";
import { fileChanges } from "./file-changes.ts";
import { readTextFile } from "./input.ts";
import type { Flags } from "./requested-source.ts";
import { executeRun, planRun, type RunPlan, type RunRequest } from "./run-command.ts";
import type { RunFlags } from "./run-jobs.ts";
import type { StopSignals } from "./stop-signals.ts";
import { UsageError } from "./usage-error.ts";

/** The config file changed, and is valid: the run ends for the next one. */
class ConfigChange extends Error {
  override readonly name = "ConfigChange";
}

/** A plan, and the content of the file that it was made of. */
interface WatchedPlan {
  readonly plan: RunPlan;
  readonly text: string;
}

/**
 * `pulsar-ts-io run --watch`: runs, and when the config file changes, drains and runs what it says now. A file that is not valid changes
 * nothing but the log.
 *
 * @throws UsageError (`PIO_USAGE`) when there is no file to watch, and what a run without `--watch` throws.
 */
export async function watchRun(
  request: RunRequest,
  host: CliHost,
  clock: Clock = systemClock,
): Promise<void> {
  const { stop } = host;
  const path = watchedFile(request.flags);
  // Before the plan is made of it: what is written in between is a change.
  const text = await readTextFile(path);
  let next: WatchedPlan | undefined = { text, plan: await planRun(request, host) };
  while (next !== undefined) next = await runUntilChanged(next, path, { stop, host, clock });
}

function watchedFile(flags: RunFlags & Flags): string {
  const path = flags["sourceConfigFile"];
  if (flags.dryRun !== undefined) {
    throw new UsageError("--watch and --dry-run exclude each other", { remedy: "leave one of them out" });
  }
  if (typeof path !== "string" || path === "-" || flags["sourceConfig"] === "-") {
    throw new UsageError("--watch has no file to watch", {
      remedy: "write the config into a file and name it with --source-config-file",
    });
  }
  return path;
}

interface Surroundings {
  readonly stop: StopSignals;
  readonly host: CliHost;
  readonly clock: Clock;
}

/** @returns what to run next; `undefined` when the user has had enough. */
async function runUntilChanged(
  { plan, text }: WatchedPlan,
  path: string,
  { stop, host, clock }: Surroundings,
): Promise<WatchedPlan | undefined> {
  const { logger } = plan;
  const change = new AbortController();
  const ended = new AbortController();
  let next: WatchedPlan | undefined;
  const watch = async () => {
    const read = () => readIfThere(path);
    for await (const changed of fileChanges({ read, from: text, clock, logger, signal: ended.signal })) {
      next = await planAgain(plan, changed, host);
      if (next === undefined) continue;
      logger.info({ file: path }, "config file changed, starting anew");
      change.abort(new ConfigChange("the config file changed"));
      return;
    }
  };
  const watching = watch().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error;
  });
  try {
    const signal = AbortSignal.any([stop.signal, change.signal]);
    await executeRun(plan, { signal, stop: (reason) => stop.stop(reason) }, host);
  } finally {
    ended.abort(new Error("the run has ended"));
    await watching;
  }
  return stop.signal.aborted ? undefined : next;
}

/** @returns `undefined` when the changed file cannot be run: the log has said why. */
async function planAgain(
  { request, logger }: RunPlan,
  text: string,
  host: CliHost,
): Promise<WatchedPlan | undefined> {
  if (text.split("\n").every((line) => /^\s*(#.*)?$/.test(line))) {
    const remedy = "write the settings into it again; a run without settings is started without --watch";
    logger.error({ remedy }, "config file is empty, the run goes on as before");
    return undefined;
  }
  try {
    return { text, plan: await planRun(request, host) };
  } catch (error) {
    logger.error(
      { err: toError(error), remedy: remedyOf(error) },
      "config file changed and cannot be used, the run goes on as before",
    );
    return undefined;
  }
}

/** Whatever keeps it from being read passes, or the user learns that the file is away. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
