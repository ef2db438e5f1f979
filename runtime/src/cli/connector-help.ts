import type { Environment } from "./client-conf.ts";
import { pluginHost } from "./connector-places.ts";
import { formatProperties } from "./property-list.ts";
import { connectorReference } from "./requested-source.ts";

/**
 * What `run --source-type NAME --help` says about that connector: its properties, from its own schema.
 *
 * @returns `undefined` when no connector is named, or the help of another command is wanted.
 */
export async function connectorHelp(
  args: readonly string[],
  width: number,
  env: Environment,
): Promise<string | undefined> {
  if (!args.some((argument) => argument === "--help" || argument === "-h")) return undefined;
  const name = valueAfter(args, ["-t", "--source-type"]);
  const path = valueAfter(args, ["-a", "--archive", "--connector"]);
  const wanted = path ?? name;
  if (wanted === undefined) return undefined;
  const host = pluginHost(valueAfter(args, ["--connectors-dir"]), env);
  const connector = await host.find(
    path === undefined ? { kind: "name", name: wanted } : connectorReference(path),
  );
  const { manifest } = connector;
  return `\nConfig of ${manifest.name}: ${manifest.description}\n\n${formatProperties(connector.schema, width)}`;
}

function valueAfter(args: readonly string[], flags: readonly string[]): string | undefined {
  for (const [index, argument] of args.entries()) {
    if (flags.includes(argument)) return args[index + 1];
    const flag = flags.find((candidate) => argument.startsWith(`${candidate}=`));
    if (flag !== undefined) return argument.slice(flag.length + 1);
  }
  return undefined;
}
