import { accessSync, constants } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** What says where files of a user's own may be kept. */
export interface CacheEnvironment {
  readonly PULSAR_TS_IO_CACHE?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * Where archives are unpacked: `PULSAR_TS_IO_CACHE`, else the user's cache; in a container without a home that can be written to,
 * among the temporary files.
 */
export function defaultArchiveDirectory(env: CacheEnvironment): string {
  if (isSet(env.PULSAR_TS_IO_CACHE)) return join(env.PULSAR_TS_IO_CACHE, "connectors");
  if (isSet(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "pulsar-ts-io", "connectors");
  if (isSet(env.HOME) && isWritable(env.HOME)) return join(env.HOME, ".cache", "pulsar-ts-io", "connectors");
  // One name, not two: others may make a directory there first, but may not take the place of ours.
  return join(tmpdir(), `pulsar-ts-io-${userInfo().uid}`);
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
