import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { codeOf, toError } from "@pulsar-ts-io/core";
import type { TlsIdentity } from "../auth/authentication.ts";
import { PulsarUnreachableError } from "../errors.ts";
import type { BoundedSignal } from "../wait.ts";
import { type BrokerAddress, formatAddress } from "./service-url.ts";
import { tlsFailure } from "./tls-failure.ts";
import { readTrust } from "./trust-file.ts";

/** How the broker's certificate is judged. */
export interface TlsOptions {
  /** A PEM file with the authorities to trust; absent: those Node trusts. */
  readonly trustCertPath?: string | undefined;
  /** Accepts any certificate. */
  readonly allowInsecure: boolean;
  /** Whether the certificate must be for the host that was connected to. */
  readonly hostnameVerification: boolean;
}

/** TLS for one connection. */
export interface DialTls extends TlsOptions {
  /** Who we are, when the broker is to know us by our certificate. */
  readonly identity?: TlsIdentity | undefined;
}

/** An open connection to a host that something else relays. */
export interface Relay {
  readonly socket: Socket;
  /** What errors add about it, such as ` through the proxy http://proxy:3128`. */
  readonly through: string;
}

/** Opens a connection; TLS when `tls` is given. @throws a coded error, or the signal's reason. */
export type Dial = (
  address: BrokerAddress,
  tls: DialTls | undefined,
  signal: BoundedSignal,
) => Promise<Duplex>;

/**
 * Opens a TCP connection, with TLS when `tls` is given. Every address of the name is tried.
 *
 * @param relay TLS is spoken over this connection instead of one that is opened.
 * @throws PulsarUnreachableError (`PIO_PULSAR_UNREACHABLE`), PulsarTlsError (`PIO_PULSAR_TLS`), the signal's reason.
 */
export async function dial(
  address: BrokerAddress,
  tls: DialTls | undefined,
  signal: BoundedSignal,
  relay?: Relay,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = tls === undefined ? connectTcp(address) : await startTls(address, tls, signal, relay);
  socket.setNoDelay(true);
  let reached = relay !== undefined;
  socket.once("connect", () => {
    reached = true;
  });
  try {
    await established(socket, tls === undefined ? "connect" : "secureConnect", signal);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw tls === undefined || !reached
      ? unreachable(address, toError(error))
      : tlsFailure(address, toError(error), relay?.through);
  }
}

async function startTls(
  address: BrokerAddress,
  tls: DialTls,
  signal: AbortSignal,
  relay: Relay | undefined,
): Promise<Socket> {
  const ca = tls.trustCertPath === undefined ? undefined : await readTrust(tls.trustCertPath);
  // No event comes of what was aborted meanwhile: the socket would be waited for as long as the system does.
  signal.throwIfAborted();
  return connectTls({
    ...address,
    ...(relay === undefined ? {} : { socket: relay.socket }),
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...tls.identity,
    rejectUnauthorized: !tls.allowInsecure,
    ...(tls.hostnameVerification ? {} : { checkServerIdentity: () => undefined }),
  });
}

function established(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off(event, onReady);
      socket.off("error", onError);
      socket.off("close", onClose);
      signal.removeEventListener("abort", onAbort);
      act();
    };
    const onReady = () => settle(resolve);
    const onError = (error: Error) =>
      settle(() => {
        // Whatever a dying socket still has to say has no one else to hear it.
        socket.on("error", () => undefined);
        reject(error);
      });
    const onClose = () => settle(() => reject(new Error("the connection was closed")));
    const onAbort = () => onError(toError(signal.reason));
    socket.on(event, onReady);
    socket.on("error", onError);
    socket.on("close", onClose);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function unreachable(address: BrokerAddress, error: Error): PulsarUnreachableError {
  const code = codeOf(error);
  const where = formatAddress(address);
  return new PulsarUnreachableError(`no connection to ${where}: ${describe(code, error)}`, {
    cause: error,
    details: { address: where, reason: code },
    remedy: "check the service URL, and that the broker runs and can be reached from here",
  });
}

function describe(code: string | undefined, error: Error): string {
  if (code === "ECONNREFUSED") return "nothing listens there (ECONNREFUSED)";
  if (code === "ENOTFOUND") return "the name is not known (ENOTFOUND)";
  return error.message === "" ? (code ?? error.name) : error.message;
}
