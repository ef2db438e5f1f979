import { type Source, type SourceConstructor, toError } from "@pulsar-ts-io/core";
import type { ConnectorPackage } from "./connector-package.ts";
import { PluginContractError, PluginLoadError } from "./errors.ts";
import { type ImportOptions, importModule } from "./import-module.ts";

const methods = ["open", "read", "close"] as const;

/**
 * Imports the module of a connector and makes its Source. The connector's code runs here for the first time.
 *
 * @throws PluginLoadError (`PIO_PLUGIN_LOAD`) when the module cannot be imported or its constructor throws.
 * @throws PluginContractError (`PIO_PLUGIN_CONTRACT`) when it exports no Source under the name its manifest gives.
 */
export async function loadSource(
  connector: ConnectorPackage,
  options?: ImportOptions,
): Promise<Source<unknown>> {
  const { name, sourceClass } = connector.manifest;
  const { path, exports } = await importModule(connector, options);
  const exported = exports[sourceClass.exportName];
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
