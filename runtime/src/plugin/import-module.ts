import { stat } from "node:fs/promises";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { type Clock, systemClock, toError } from "@pulsar-ts-io/core";
import { type ConnectorPackage, inside } from "./connector-package.ts";
import { PluginLoadError } from "./errors.ts";

/** What a connector's module exports, by name. */
export interface ConnectorModule {
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

export interface ImportOptions {
  readonly clock?: Clock;
  /** Ends the waiting: what is being loaded goes on, and nobody asks for it any more. */
  readonly signal?: AbortSignal;
}

/** A module that waits for something while it is loaded waits no longer than this. */
const loadTimeoutMs = 60_000;
const never: AbortSignal = new AbortController().signal;

/**
 * Imports the module that the manifest names. The connector's code runs here for the first time.
 *
 * @throws PluginLoadError (`PIO_PLUGIN_LOAD`) when it is not there, cannot be imported, does not come to an end or tries to end the
 * process; the signal's reason.
 */
export async function importModule(
  { directory, manifest }: ConnectorPackage,
  { clock = systemClock, signal = never }: ImportOptions = {},
): Promise<ConnectorModule> {
  const { name, sourceClass } = manifest;
  const path = inside(directory, sourceClass.file, "sourceClass");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new PluginLoadError(`the module of connector ${name} is not there: ${path}`, {
      remedy: "build the connector, or correct sourceClass in its manifest",
    });
  }
  try {
    return { path, exports: await importBounded(pathToFileURL(path).href, clock, signal) };
  } catch (cause) {
    signal.throwIfAborted();
    throw new PluginLoadError(`the module of connector ${name} failed to load: ${toError(cause).message}`, {
      cause,
      remedy: `find the cause in ${path}, or install the connector again with its dependencies`,
    });
  }
}

async function importBounded(
  url: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const loaded = new AbortController();
  const { exit } = process;
  // Loading must not end the process: nobody would learn why.
  process.exit = () => {
    throw new Error("it tried to end the process");
  };
  try {
    const tooLong = async (): Promise<never> => {
      await clock.sleep(loadTimeoutMs, AbortSignal.any([signal, loaded.signal]));
      throw new Error(`it was not loaded after ${loadTimeoutMs} ms`);
    };
    const exports: Record<string, unknown> = await Promise.race([import(url), tooLong()]);
    return { ...exports };
  } finally {
    process.exit = exit;
    loaded.abort(new Error("loaded"));
  }
}
