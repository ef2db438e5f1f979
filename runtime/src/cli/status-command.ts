import { ConnectorError, toError } from "@pulsar-ts-io/core";
import type { SourceStatus } from "../observe/source-status.ts";
import type { CliHost } from "./cli-host.ts";
import { formatStatus } from "./status-table.ts";

const timeoutMs = 10_000;

/** Nothing that could be asked answers at that port. */
class NoStatusError extends ConnectorError {
  readonly code = "PIO_NO_STATUS";
  readonly retryable = true;
  /** For the exit code: what was to be looked at is out of reach. */
  readonly stage = "open";
}

export interface StatusFlags {
  readonly httpPort: number;
  readonly httpHost: string;
  readonly json?: boolean | undefined;
}

/**
 * `pulsar-ts-io status`: what a run that has `--http-port` says of itself.
 *
 * @throws NoStatusError (`PIO_NO_STATUS`).
 */
export async function statusCommand({ httpHost, httpPort, json }: StatusFlags, host: CliHost): Promise<void> {
  const at = `${httpHost.includes(":") ? `[${httpHost}]` : httpHost}:${httpPort}`;
  const status = await fetchStatus(at);
  if (json === true) host.json.write(status);
  else host.process.stdout.write(formatStatus(status));
}

async function fetchStatus(at: string): Promise<SourceStatus> {
  try {
    const response = await fetch(`http://${at}/status`, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok)
      throw new Error((await response.text()).trim().slice(0, 200) || `HTTP ${response.status}`);
    const status: unknown = await response.json();
    if (isStatus(status)) return status;
    throw new Error("what answers is no pulsar-ts-io");
  } catch (error) {
    throw new NoStatusError(`no status at ${at}: ${reasonOf(error)}`, {
      cause: error,
      remedy: "start the source with --http-port, and name that port here",
    });
  }
}

/** The platform's own "fetch failed" hides why. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = toError(error);
  if (name === "TimeoutError") return `no answer within ${timeoutMs / 1_000} s`;
  if (name === "SyntaxError") return "what answers is no pulsar-ts-io";
  return cause === undefined ? message : toError(cause).message || "the connection was refused";
}

/** Ours tells which source it is of; Pulsar's own status does not. */
function isStatus(value: unknown): value is SourceStatus {
  if (typeof value !== "object" || value === null || !("instances" in value && "source" in value))
    return false;
  return Array.isArray(value.instances) && typeof value.source === "object" && value.source !== null;
}
