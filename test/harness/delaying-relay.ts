import type { Socket } from "node:net";
import { type TcpLink, TcpProxy } from "./tcp-proxy.ts";

/** Bytes on their way in one direction before the sender is paused: more than any window that is measured through the relay. */
const maxUnderwayBytes = 64 * 1_024 * 1_024;

/**
 * Starts a proxy that delivers every byte `delayMs` after it was sent, in both directions, in order and whatever their number: a
 * long line of unlimited bandwidth. A round trip takes twice the delay.
 *
 * @param watch called for each connection; its result gets what the client is sent, at the moment it is.
 */
export async function startDelayingRelay(
  target: number,
  delayMs: number,
  watch: () => (chunk: Buffer) => void = () => () => {},
): Promise<TcpProxy> {
  const relay = await TcpProxy.start(({ client, server }: TcpLink) => {
    delay(client, server, { delayMs, onDelivered: () => {} });
    delay(server, client, { delayMs, onDelivered: watch() });
  });
  relay.target = target;
  return relay;
}

interface Line {
  readonly delayMs: number;
  readonly onDelivered: (chunk: Buffer) => void;
}

function delay(from: Socket, to: Socket, { delayMs, onDelivered }: Line): void {
  let underway = 0;
  from.on("data", (chunk: Buffer) => {
    underway += chunk.length;
    if (underway >= maxUnderwayBytes) from.pause();
    // Timers of one length fire in the order in which they were set.
    setTimeout(() => {
      underway -= chunk.length;
      if (to.writable) {
        onDelivered(chunk);
        to.write(chunk);
      }
      if (from.isPaused()) from.resume();
    }, delayMs);
  });
  from.on("end", () => setTimeout(() => to.end(), delayMs));
}
