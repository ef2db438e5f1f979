import { hasCode } from "@pulsar-ts-io/core";
import { startPulsar } from "@pulsar-ts-io/testkit";

/** Where the demo's records go. */
export type Destination =
  | { readonly kind: "pulsar"; readonly serviceUrl: string; readonly close: () => Promise<void> }
  | { readonly kind: "console"; readonly why: string };

export interface DestinationOptions {
  readonly toConsole: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * `PULSAR_SERVICE_URL` if set; else a real broker, fetched once, where Java 17 and Maven (or Docker) are found; else the
 * console, with the reason.
 */
export async function openDestination(options: DestinationOptions): Promise<Destination> {
  const { toConsole, env, say, signal } = options;
  if (toConsole) return { kind: "console", why: "as asked for with --console" };
  const serviceUrl = env["PULSAR_SERVICE_URL"];
  if (serviceUrl !== undefined && serviceUrl !== "") {
    say(`publishing to PULSAR_SERVICE_URL, ${serviceUrl}`);
    return { kind: "pulsar", serviceUrl, close: () => Promise.resolve() };
  }
  try {
    const broker = await startPulsar({ report: say, signal, env });
    return { kind: "pulsar", serviceUrl: broker.serviceUrl, close: () => broker.stop() };
  } catch (error) {
    if (!hasCode(error, "PIO_STACK_PART_MISSING") || !(error instanceof Error)) throw error;
    return { kind: "console", why: `for a topic as well, this is missing: ${error.message}` };
  }
}
