import { describeProperties } from "@pulsar-ts-io/config";
import type { Logger } from "@pulsar-ts-io/core";
import type { LogLevel } from "../logging/log-options.ts";
import { createLogger } from "../logging/pino-logger.ts";
import type { ConnectorPackage } from "../plugin/connector-package.ts";

/** How a source logs: plain data. */
export interface LogSettings {
  readonly level: LogLevel;
  /** Fields whose values are never shown. */
  readonly sensitive: readonly string[];
  /** What every line says about whose it is. */
  readonly fields: Readonly<Record<string, string | number>>;
}

/** Names of the settings whose values are never shown. */
export function sensitiveNames({ schema }: ConnectorPackage): readonly string[] {
  return describeProperties(schema)
    .filter((property) => property.sensitive)
    .map((property) => property.name);
}

/** @param write takes whole lines of JSON. */
export function createSourceLogger(settings: LogSettings, write: (line: string) => void): Logger {
  return createLogger({ ...settings, format: "json" }, write).child(settings.fields);
}
