import { codeOf } from "@pulsar-ts-io/core";
import type { Stage } from "../instance/errors.ts";

/** How the process ends. Public: `docs/exit-codes.md` says the same to users. */
export const exitCodes = {
  /** It did what it was told, and was stopped by its user. */
  ok: 0,
  /** The source failed while it ran or while it was closed. */
  run: 1,
  /** A flag or a setting is wrong. Nothing was opened. */
  usage: 2,
  /** The connector cannot be found or loaded. Nothing was opened. */
  plugin: 3,
  /** The source could not be opened: what it reads from refused it, or is out of reach. */
  open: 4,
  /** Pulsar could not be published to. */
  pulsar: 5,
  /** Nothing was moved: somebody reads the source. */
  held: 6,
  /** The event loop was blocked for too long: the process ended itself. */
  blocked: 7,
  /** A defect of this program. */
  internal: 70,
  /** A second SIGINT ended it at once, without a drain. */
  interrupted: 130,
  /** A second SIGTERM ended it at once, without a drain. */
  terminated: 143,
} as const;

const byStage: Readonly<Record<Stage, number>> = {
  pulsar: exitCodes.pulsar,
  open: exitCodes.open,
  run: exitCodes.run,
  close: exitCodes.run,
};

/** What is wrong with a flag or a setting before anything is opened, whoever found it. */
const usageCodes = new Set([
  "PIO_USAGE",
  "PIO_HTTP_PORT",
  "PIO_INVALID_CONFIG",
  "PIO_CONFIG_SYNTAX",
  "PIO_CONFIG_FILE",
  "PIO_CREATE",
  "PIO_INVALID_TOPIC_NAME",
  "PIO_INVALID_SERVICE_URL",
  "PIO_INVALID_AUTHENTICATION",
  "PIO_UNSUPPORTED_AUTHENTICATION",
  "PIO_UNSUPPORTED_OPTION",
  "PIO_NATIVE_CLIENT_MISSING",
]);

/** What is wrong with a connector that somebody is writing. */
const packagingCodes = new Set(["PIO_PACKAGE", "PIO_PROPERTY_TABLE", "PIO_SCHEMA_DRIFT"]);

/** The exit code for an error that ended a command. What failed decides, not what the connector calls it. */
export function exitCodeOf(error: unknown): number {
  if (typeof error === "object" && error !== null && "stage" in error && isStage(error.stage)) {
    return byStage[error.stage];
  }
  const code = codeOf(error);
  if (code === "PIO_PARTITIONS_HELD") return exitCodes.held;
  if (code === undefined || !code.startsWith("PIO_")) return exitCodes.internal;
  if (usageCodes.has(code)) return exitCodes.usage;
  if (code.startsWith("PIO_PLUGIN_") || packagingCodes.has(code) || code === "PIO_CONFIG_SCHEMA")
    return exitCodes.plugin;
  return exitCodes.run;
}

function isStage(value: unknown): value is Stage {
  return typeof value === "string" && Object.hasOwn(byStage, value);
}
