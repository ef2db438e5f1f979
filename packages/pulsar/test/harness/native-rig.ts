import { silentMeter, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import {
  createNativeTransport,
  defaultPublisherOptions,
  type NativeHost,
  type OutgoingMessage,
  type Publisher,
  type PublisherOptions,
  type Transport,
  type WireOptions,
} from "../../src/index.ts";
import type { FakePulsarClient } from "./fake-pulsar-client.ts";
import { never } from "./wire.ts";

export const topic = "persistent://public/default/t";

const tls = { allowInsecure: false, hostnameVerification: true };

/** A native transport over a client that a test plays. */
export function createNative(
  native: FakePulsarClient,
  options: Partial<WireOptions> = {},
  host: Partial<NativeHost> = {},
): Promise<Transport> {
  return createNativeTransport(
    { serviceUrl: "pulsar://b1:6650", tls, ...options },
    {
      clock: systemClock,
      logger: new RecordingLogger(),
      meter: silentMeter,
      environment: { TOKEN: "from-env" },
      load: () => Promise.resolve({ default: native.module }),
      ...host,
    },
  );
}

export async function openNative(
  native: FakePulsarClient,
  options: Partial<PublisherOptions> = {},
): Promise<Publisher> {
  const transport = await createNative(native);
  return await transport.open(topic, { ...defaultPublisherOptions, ...options }, never);
}

/** When what the client answered has arrived. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const numberText = (index: number): OutgoingMessage => ({ value: Buffer.from(String(index)) });
