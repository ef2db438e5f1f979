import type { ConnectorTools } from "@pulsar-ts-io/core";
import type { ConnectorPackage } from "./connector-package.ts";
import { PluginContractError, PluginToolMissingError } from "./errors.ts";
import { type ImportOptions, importModule } from "./import-module.ts";

export type ToolName = "check" | "partitions" | "peek" | "reset";

/** What each of them does, in a user's words. */
const deeds: Readonly<Record<ToolName, string>> = {
  check: "check what it needs",
  partitions: "list its partitions",
  peek: "show records without taking them",
  reset: "move its partitions",
};

/** The tools of a connector that has at least the one of that name. */
export type LoadedTools<N extends ToolName> = ConnectorTools<unknown> &
  Required<Pick<ConnectorTools<unknown>, N>>;

/**
 * Imports the module of a connector for one of its tools.
 *
 * @throws PluginLoadError (`PIO_PLUGIN_LOAD`) when the module cannot be imported.
 * @throws PluginToolMissingError (`PIO_PLUGIN_TOOL_MISSING`) when the connector has no such tool.
 * @throws PluginContractError (`PIO_PLUGIN_CONTRACT`) when that tool is no function.
 */
export async function loadTool<N extends ToolName>(
  connector: ConnectorPackage,
  name: N,
  options: ImportOptions = {},
): Promise<LoadedTools<N>> {
  const { exports, path } = await importModule(connector, options);
  const { tools } = exports;
  const tool: unknown = typeof tools === "object" && tools !== null ? Reflect.get(tools, name) : undefined;
  const connectorName = connector.manifest.name;
  if (tool === undefined) {
    throw new PluginToolMissingError(`connector ${connectorName} cannot ${deeds[name]}`, {
      remedy: `nothing is wrong with it: its module exports no tools with ${name}, which is for its author to add`,
    });
  }
  if (typeof tool !== "function") {
    throw new PluginContractError(
      `connector ${connectorName} exports no usable tools: ${name} of ${path} is no function`,
      { remedy: "export functions in tools, or leave out what the connector cannot do" },
    );
  }
  // the one member that is used was checked just now
  return tools as LoadedTools<N>;
}
