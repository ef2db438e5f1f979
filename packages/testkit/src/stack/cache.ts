import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@pulsar-ts-io/core";
import { isAlive } from "./processes.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** `$PULSAR_TS_IO_CACHE`, else `$XDG_CACHE_HOME/pulsar-ts-io`, else `~/.cache/pulsar-ts-io`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env["PULSAR_TS_IO_CACHE"];
  if (own !== undefined && own !== "") return own;
  const base = env["XDG_CACHE_HOME"];
  return join(base !== undefined && base !== "" ? base : join(homedir(), ".cache"), "pulsar-ts-io");
}

/**
 * The cached folder `name`, filled by `fill` if it is not there yet.
 *
 * It appears under its name only when it is complete (a rename), so a crash leaves nothing that looks usable.
 * A lock keeps a second process from fetching the same; should both fetch after all, the first rename counts.
 */
export async function cachedFolder(
  name: string,
  fill: (folder: string) => Promise<void>,
  options: ResolvedStackOptions,
): Promise<string> {
  const root = cacheFolder(options.env);
  const folder = join(root, name);
  if (await exists(folder)) return folder;
  await mkdir(root, { recursive: true });
  const unlock = await lock(`${folder}.lock`, options);
  try {
    if (await exists(folder)) return folder;
    const temporary = `${folder}.${randomUUID()}.partial`;
    try {
      await removePartial(root, name);
      await mkdir(temporary, { recursive: true });
      await fill(temporary);
      await moveInPlace(temporary, folder);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    return folder;
  } finally {
    await unlock();
  }
}

/** What a process that was killed has left: we hold the lock, so nobody is filling it. */
async function removePartial(root: string, name: string): Promise<void> {
  for (const entry of await readdir(root)) {
    if (entry.startsWith(`${name}.`) && entry.endsWith(".partial")) {
      await rm(join(root, entry), { recursive: true, force: true });
    }
  }
}

async function moveInPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // Another process was first, which is as good.
    if (!(await exists(to))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const lockPollMs = 500;

/** Takes the lock file, waiting for whoever holds it; a holder that is dead is passed over. */
async function lock(path: string, { signal, report }: ResolvedStackOptions): Promise<() => Promise<void>> {
  for (let waits = 0; ; waits++) {
    signal.throwIfAborted();
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holder = await readFile(path, "utf8").catch(() => "");
    if (await isStale(path, holder)) {
      await rm(path, { force: true });
      continue;
    }
    if (waits === 0) report(`waiting for process ${holder}, which fetches the same`);
    await systemClock.sleep(lockPollMs, signal);
  }
}

/** A file without a number in it is one whose writer died, or is about to write it: give it ten seconds. */
async function isStale(path: string, holder: string): Promise<boolean> {
  const pid = Number(holder);
  if (Number.isInteger(pid) && pid > 0) return !isAlive(pid);
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && Date.now() - info.mtimeMs > 10_000;
}
