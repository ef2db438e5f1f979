import { ConnectorError } from "@pulsar-ts-io/core";
import { type Verification, verifyConnector } from "../plugin/verify-connector.ts";
import type { CliHost } from "./cli-host.ts";
import { pluginHost } from "./connector-places.ts";
import { connectorReference, type Flags } from "./requested-source.ts";

/** Something of a connector is not as it must be. */
class PluginDefectError extends ConnectorError {
  readonly code = "PIO_PLUGIN_DEFECT";
  readonly retryable = false;
}

/**
 * `pulsar-ts-io connectors verify NAME|PATH`: everything that can be known of a connector without its service.
 *
 * @throws PluginDefectError (`PIO_PLUGIN_DEFECT`) when something failed, and the errors of the plugin host.
 */
export async function verifyCommand(name: string, flags: Flags, host: CliHost): Promise<void> {
  const directory = flags["connectorsDir"];
  const plugins = pluginHost(typeof directory === "string" ? directory : undefined, host.env);
  const connector = await plugins.find(connectorReference(name));
  const verifications = await verifyConnector(connector);
  if (flags["json"] === true) host.json.write(verifications);
  else for (const verification of verifications) host.process.stdout.write(line(verification));
  const failed = verifications.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return;
  throw new PluginDefectError(
    `connector ${connector.manifest.name} is not fit for use: ${failed.map(({ what }) => what).join(", ")}`,
    { remedy: "correct what is marked as failed above" },
  );
}

function line({ what, outcome, detail, remedy }: Verification): string {
  const facts = detail === undefined ? "" : `  ${detail}`;
  return `${outcome.padEnd(8)}${what.padEnd(16)}${facts}\n${remedy === undefined ? "" : `${" ".repeat(26)}remedy: ${remedy}\n`}`;
}
