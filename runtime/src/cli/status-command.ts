import { ConnectorError, toError } from "@pulsar-ts-io/core";
import type { SourceStatus } from "../observe/source-status.ts";
import type { CliHost } from "./cli-host.ts";
import { formatStatus } from "./status-table.ts";

/** For the answer and all of its body. */
const timeoutMs = 10_000;
/** Ours takes some kilobytes for each instance. */
const maxBodyBytes = 16 * 1_048_576;
const notOurs = "what answers is not pulsar-ts-io";

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
  const status = await fetchStatus(at, host.stop.signal);
  if (json === true) host.json.write(status);
  else host.process.stdout.write(formatStatus(status));
}

async function fetchStatus(at: string, stop: AbortSignal): Promise<SourceStatus> {
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
    const response = await fetch(`http://${at}/status`, { signal });
    const body = await readBody(response);
    if (!response.ok) throw new Error(body.trim().slice(0, 200) || `HTTP ${response.status}`);
    const status: unknown = JSON.parse(body);
    if (isStatus(status)) return status;
    throw new Error(notOurs);
  } catch (error) {
    stop.throwIfAborted();
    throw new NoStatusError(`no status at ${at}: ${reasonOf(error)}`, {
      cause: error,
      remedy: "start the source with --http-port, and name that port here",
    });
  }
}

/** @throws when it is longer than a status can be. */
async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new Error(`${notOurs}: its answer has more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The platform's own "fetch failed" hides why. */
function reasonOf(error: unknown): string {
  const { name, message, cause } = toError(error);
  if (name === "TimeoutError") return `no answer within ${timeoutMs / 1_000} s`;
  if (name === "SyntaxError") return notOurs;
  return cause === undefined ? message : toError(cause).message || "the connection was refused";
}

/** Ours tells which source it is of; Pulsar's own status does not. */
function isStatus(value: unknown): value is SourceStatus {
  if (typeof value !== "object" || value === null || !("instances" in value && "source" in value))
    return false;
  return Array.isArray(value.instances) && typeof value.source === "object" && value.source !== null;
}
