import { configDefinition, describeProperties } from "@pulsar-ts-io/config";
import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import type { ConnectorPackage } from "../plugin/connector-package.ts";
import type { ConnectorListing, PluginHost } from "../plugin/plugin-host.ts";
import type { CliHost } from "./cli-host.ts";
import { pluginHost } from "./connector-places.ts";
import { formatProperties } from "./property-list.ts";
import { connectorReference, type Flags } from "./requested-source.ts";
import { columnsOf } from "./terminal.ts";

/** Of a connector with `sharding: by-number`. */
const shardingText = "instances divide the work by number: each needs --parallelism besides --instance-id";

/** `pulsar-ts-io connectors list`: every connector, the broken ones with the reason. Runs none of their code. */
export async function listConnectors(flags: Flags, host: CliHost): Promise<void> {
  const listings = await hostOf(flags, host).list();
  if (flags["json"] === true) host.json.write(listings.map(listingJson));
  else host.process.stdout.write(listings.map(listingText).join(""));
}

/** `pulsar-ts-io connectors describe NAME`: what it is and what can be set; `--json` for programs. */
export async function describeConnector(name: string, flags: Flags, host: CliHost): Promise<void> {
  const connector = await hostOf(flags, host).find(connectorReference(name));
  const { stdout } = host.process;
  const json = jsonOf(connector, flags);
  if (json !== undefined) {
    host.json.write(json);
    return;
  }
  const { manifest, directory, version } = connector;
  stdout.write(`${manifest.name}${version === undefined ? "" : ` ${version}`}\n${manifest.description}\n`);
  const sharding = manifest.sharding === undefined ? "" : `${shardingText}\n`;
  stdout.write(`in ${directory}\n${sharding}\n${formatProperties(connector.schema, columnsOf(stdout))}`);
}

function hostOf(flags: Flags, { env }: CliHost): PluginHost {
  const directory = flags["connectorsDir"];
  return pluginHost(typeof directory === "string" ? directory : undefined, env);
}

function listingText(listing: ConnectorListing): string {
  if (listing.kind === "usable") {
    const { manifest, version } = listing.connector;
    return `${manifest.name}  ${version ?? ""}\n    ${manifest.description}\n`;
  }
  const remedy = remedyOf(listing.error);
  return `${listing.origin}  (broken)\n    ${listing.error.message}\n${remedy === undefined ? "" : `    remedy: ${remedy}\n`}`;
}

function listingJson(listing: ConnectorListing): unknown {
  if (listing.kind === "usable") {
    const { manifest, version, directory } = listing.connector;
    return { name: manifest.name, description: manifest.description, version, directory };
  }
  const { error, origin } = listing;
  return { origin, broken: { code: codeOf(error), message: error.message, remedy: remedyOf(error) } };
}

function jsonOf(connector: ConnectorPackage, flags: Flags): unknown {
  if (flags["schema"] === true) return connector.schema;
  if (flags["configDefinition"] === true) return configDefinition(connector.schema);
  return flags["json"] === true ? connectorJson(connector) : undefined;
}

function connectorJson(connector: ConnectorPackage): unknown {
  const { manifest, version, directory, schema } = connector;
  const { name, description, apiVersion, sharding, partitionIds } = manifest;
  return {
    name,
    description,
    version,
    directory,
    apiVersion,
    ...(sharding === undefined ? {} : { sharding }),
    ...(partitionIds === undefined ? {} : { partitionIds }),
    properties: describeProperties(schema),
    schema,
  };
}
