import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownUserId } from "./own-user-id.ts";

/** The variables that name a directory for the user's own files. */
export interface CacheEnvironment {
  readonly PULSAR_TS_IO_CACHE?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * The directory to unpack archives into: `PULSAR_TS_IO_CACHE`, else the user's cache. A container may have a user id without a name and
 * without a writable home: its directory is among the temporary files (`TMPDIR`, else `/tmp`).
 */
export function defaultArchiveDirectory(env: CacheEnvironment): string {
  if (isSet(env.PULSAR_TS_IO_CACHE)) return join(env.PULSAR_TS_IO_CACHE, "connectors");
  if (isSet(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "pulsar-ts-io", "connectors");
  if (isSet(env.HOME) && isWritable(env.HOME)) return join(env.HOME, ".cache", "pulsar-ts-io", "connectors");
  // A fixed name: another user may create the directory first (ArchiveStore refuses it then), but cannot replace ours.
  return join(tmpdir(), `pulsar-ts-io-${ownUserId() ?? "user"}`);
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
