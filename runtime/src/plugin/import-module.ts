import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { toError } from "@pulsar-ts-io/core";
import { type ConnectorPackage, inside } from "./connector-package.ts";
import { PluginLoadError } from "./errors.ts";

/** What a connector's module exports, by name. */
export interface ConnectorModule {
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/**
 * Imports the module that the manifest names. The connector's code runs here for the first time.
 *
 * @throws PluginLoadError (`PIO_PLUGIN_LOAD`) when it is not there or cannot be imported.
 */
export async function importModule({ directory, manifest }: ConnectorPackage): Promise<ConnectorModule> {
  const { name, sourceClass } = manifest;
  const path = inside(directory, sourceClass.file, "sourceClass");
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new PluginLoadError(`the module of connector ${name} is not there: ${path}`, {
      remedy: "build the connector, or correct sourceClass in its manifest",
    });
  }
  try {
    return { path, exports: { ...(await import(pathToFileURL(path).href)) } };
  } catch (cause) {
    throw new PluginLoadError(`the module of connector ${name} failed to load: ${toError(cause).message}`, {
      cause,
      remedy: `find the cause in ${path}, or install the connector again with its dependencies`,
    });
  }
}
