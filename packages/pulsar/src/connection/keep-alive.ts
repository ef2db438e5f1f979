import type { Clock } from "@pulsar-ts-io/core";

/** The client and the broker look at each other this often. */
export const keepAliveMs = 30_000;
/** How long a blocked event loop gets to read what already lies in the socket, before silence counts as death. */
const graceMs = 1_000;

/** The other side, as far as its life goes. */
export interface Pulse {
  ping(): void;
  /** Whether anything at all arrived since the last time this was asked. */
  heard(): boolean;
}

/** Sends a PING every 30 s. @returns when nothing arrived between two of them. @throws the signal's reason. */
export async function keepAlive(pulse: Pulse, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    pulse.heard();
    pulse.ping();
    await clock.sleep(keepAliveMs, signal);
    if (pulse.heard()) continue;
    await clock.sleep(graceMs, signal);
    if (!pulse.heard()) return;
  }
}
