import { ConfigValidator } from "@pulsar-ts-io/config";
import { toError } from "@pulsar-ts-io/core";
import type { ConnectorPackage } from "./connector-package.ts";
import { PluginSchemaError } from "./errors.ts";

/**
 * Compiles the schema of a connector, which takes some time: `run` does it with the config in hand.
 *
 * @throws PluginSchemaError (`PIO_PLUGIN_SCHEMA`) when it is JSON, but no JSON Schema of a config.
 */
export function checkSchema({ manifest, schema }: ConnectorPackage): void {
  const remedy = "generate the schema of the connector again";
  const { properties } = schema;
  if (typeof properties !== "object" || properties === null) {
    throw new PluginSchemaError(`the configuration schema of ${manifest.name} describes no properties`, {
      remedy,
    });
  }
  try {
    new ConfigValidator(schema);
  } catch (cause) {
    const why = toError(cause instanceof Error ? (cause.cause ?? cause) : cause).message;
    throw new PluginSchemaError(`the configuration schema of ${manifest.name} is no JSON Schema: ${why}`, {
      cause,
      remedy,
    });
  }
}
