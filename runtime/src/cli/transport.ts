import type { Writable } from "node:stream";
import type { Clock, Logger, Meter } from "@pulsar-ts-io/core";
import type { Transport } from "@pulsar-ts-io/pulsar";
import type { BrokerSettings } from "./broker-settings.ts";

/** Where `--output` may send records. */
export const outputs = ["pulsar", "console"] as const;
export type Output = (typeof outputs)[number];

export interface TransportHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Where the console's records go. */
  readonly data: Writable;
}

/**
 * Makes the transport for `output`. Connects to nothing yet.
 *
 * @throws what is wrong with the address or the authentication, by the codes of the transport.
 */
export async function createTransport(
  output: Output,
  broker: BrokerSettings,
  host: TransportHost,
): Promise<Transport> {
  const { ConsoleTransport, createWireTransport } = await import("@pulsar-ts-io/pulsar");
  return output === "console" ? new ConsoleTransport(host.data) : createWireTransport(broker, host);
}
