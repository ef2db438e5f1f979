import { type Clock, silentMeter, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { createWireTransport, type Transport, type WireHost, type WireOptions } from "../../src/index.ts";
import type { BoundedSignal } from "../../src/wait.ts";

/** Never aborts: for calls that a test bounds by itself. */
export const never: BoundedSignal = new AbortController().signal as BoundedSignal;

export interface TestWire {
  readonly transport: Transport;
  readonly logger: RecordingLogger;
}

/** A wire transport with a logger that can be looked at. */
export function openWire(
  options: Partial<WireOptions> & { readonly serviceUrl: string },
  clock: Clock = systemClock,
  host: Partial<WireHost> = {},
): TestWire {
  const logger = new RecordingLogger();
  const tls = { allowInsecure: false, hostnameVerification: true };
  const transport = createWireTransport({ tls, ...options }, { clock, logger, meter: silentMeter, ...host });
  return { transport, logger };
}
