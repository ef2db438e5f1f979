import type { Writable } from "node:stream";
import type { ConfigProblem } from "@pulsar-ts-io/config";
import type { Clock, Logger, Meter, Troubles } from "@pulsar-ts-io/core";
import type { PublisherOptions, Transport } from "@pulsar-ts-io/pulsar";
import type { BrokerSettings } from "./broker-settings.ts";

/** Where `--output` may send records. */
export const outputs = ["pulsar", "console"] as const;
export type Output = (typeof outputs)[number];

/** What `--pulsar-transport` may be: our own producer, or the official client. */
export const pulsarTransports = ["wire", "native"] as const;
type PulsarTransport = (typeof pulsarTransports)[number];

/** Where records go, and by which way. */
export interface Destination {
  readonly output: Output;
  readonly pulsarTransport: PulsarTransport;
}

export interface TransportHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly troubles: Troubles;
  /** Where the console's records go. */
  readonly data: Writable;
}

/** What settings ask for that there is not on the way to `destination`. */
export function transportProblems(
  { output, pulsarTransport }: Destination,
  publisher: PublisherOptions,
): readonly ConfigProblem[] {
  if (publisher.encryption === undefined || output !== "pulsar" || pulsarTransport === "native") return [];
  return [
    {
      path: "producerConfig.cryptoConfig",
      message: "the wire transport has no end-to-end encryption",
      remedy:
        "leave it out and publish unencrypted, or use the native transport, which is the official client: --pulsar-transport native",
    },
  ];
}

/**
 * Makes the transport to `destination`. Connects to nothing yet.
 *
 * @throws what is wrong with the address or the authentication, by the codes of the transport; a native client that is missing.
 */
export async function createTransport(
  { output, pulsarTransport }: Destination,
  broker: BrokerSettings,
  host: TransportHost,
): Promise<Transport> {
  const { ConsoleTransport, createNativeTransport, createWireTransport } = await import(
    "@pulsar-ts-io/pulsar"
  );
  if (output === "console") return new ConsoleTransport(host.data);
  return pulsarTransport === "native"
    ? await createNativeTransport(broker, host)
    : createWireTransport(broker, host);
}
