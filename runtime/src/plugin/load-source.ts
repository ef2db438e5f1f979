import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { type Source, type SourceConstructor, toError } from "@pulsar-ts-io/core";
import { type ConnectorPackage, inside } from "./connector-package.ts";
import { PluginContractError, PluginLoadError } from "./errors.ts";

const methods = ["open", "read", "close"] as const;

/**
 * Imports the module of a connector and makes its Source. The connector's code runs here for the first time.
 *
 * @throws PluginLoadError (`PIO_PLUGIN_LOAD`) when the module cannot be imported or its constructor throws.
 * @throws PluginContractError (`PIO_PLUGIN_CONTRACT`) when it exports no Source under the name its manifest gives.
 */
export async function loadSource(connector: ConnectorPackage): Promise<Source<unknown>> {
  const { name, sourceClass } = connector.manifest;
  const path = inside(connector.directory, sourceClass.file, "sourceClass");
  const exported = (await importModule(path, name))[sourceClass.exportName];
  if (!isSourceConstructor(exported)) {
    throw new PluginContractError(
      `connector ${name} exports no source: ${sourceClass.exportName} of ${path} ${describe(exported)}`,
      { remedy: "export a class with open, read and close, and name it in sourceClass of the manifest" },
    );
  }
  try {
    return new exported();
  } catch (cause) {
    throw new PluginLoadError(`the source of connector ${name} cannot be made: ${toError(cause).message}`, {
      cause,
      remedy: "a source is made with nothing and does nothing until open: report this to its author",
    });
  }
}

async function importModule(path: string, name: string): Promise<Record<string, unknown>> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new PluginLoadError(`the module of connector ${name} is not there: ${path}`, {
      remedy: "build the connector, or correct sourceClass in its manifest",
    });
  }
  try {
    return { ...(await import(pathToFileURL(path).href)) };
  } catch (cause) {
    throw new PluginLoadError(`the module of connector ${name} failed to load: ${toError(cause).message}`, {
      cause,
      remedy: `find the cause in ${path}, or install the connector again with its dependencies`,
    });
  }
}

/** Checks the shape, not the meaning: what `open` does with the config is for the connector's schema to say. */
function isSourceConstructor(value: unknown): value is SourceConstructor<unknown> {
  if (typeof value !== "function") return false;
  const prototype: unknown = value.prototype;
  if (typeof prototype !== "object" || prototype === null) return false;
  return methods.every((method) => typeof Reflect.get(prototype, method) === "function");
}

function describe(value: unknown): string {
  if (value === undefined) return "is not exported";
  if (typeof value !== "function") return "is not a class";
  return "lacks open, read or close";
}
