import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { codeOf, toError } from "@pulsar-ts-io/core";
import { PulsarTlsError, PulsarUnreachableError } from "../errors.ts";
import { type BrokerAddress, formatAddress } from "./service-url.ts";

/** How the broker's certificate is judged. */
export interface TlsOptions {
  /** A PEM file with the authorities to trust; absent: those Node trusts. */
  readonly trustCertPath?: string | undefined;
  /** Accepts any certificate. */
  readonly allowInsecure: boolean;
  /** Whether the certificate must be for the host that was connected to. */
  readonly hostnameVerification: boolean;
}

/** Opens a connection; TLS when `tls` is given. @throws a coded error, or the signal's reason. */
export type Dial = (
  address: BrokerAddress,
  tls: TlsOptions | undefined,
  signal: AbortSignal,
) => Promise<Duplex>;

/**
 * Opens a TCP connection, with TLS when `tls` is given. Every address of the name is tried.
 *
 * @throws PulsarUnreachableError (`PIO_PULSAR_UNREACHABLE`), PulsarTlsError (`PIO_PULSAR_TLS`), the signal's reason.
 */
export async function dial(
  address: BrokerAddress,
  tls: TlsOptions | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = tls === undefined ? connectTcp(address) : await startTls(address, tls);
  socket.setNoDelay(true);
  let reached = false;
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
      : tlsFailure(address, toError(error));
  }
}

async function startTls(address: BrokerAddress, tls: TlsOptions): Promise<Socket> {
  return connectTls({
    ...address,
    ...(isIP(address.host) === 0 ? { servername: address.host } : {}),
    ...(tls.trustCertPath === undefined ? {} : { ca: await readTrust(tls.trustCertPath) }),
    rejectUnauthorized: !tls.allowInsecure,
    ...(tls.hostnameVerification ? {} : { checkServerIdentity: () => undefined }),
  });
}

async function readTrust(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new PulsarTlsError(`the trusted certificates could not be read from ${path}`, {
      cause: error,
      details: { path },
      remedy: "name a readable PEM file with the certificate authority of the broker",
    });
  }
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

/** @param error what happened after the TCP connection stood. */
function tlsFailure(address: BrokerAddress, error: Error): PulsarTlsError {
  const code = codeOf(error) ?? "closed";
  const where = formatAddress(address);
  return new PulsarTlsError(`no TLS with ${where}: ${describeTls(code, error)}`, {
    cause: error,
    details: { address: where, reason: code },
    remedy: tlsRemedy(code),
  });
}

function describe(code: string | undefined, error: Error): string {
  if (code === "ECONNREFUSED") return "nothing listens there (ECONNREFUSED)";
  if (code === "ENOTFOUND") return "the name is not known (ENOTFOUND)";
  return error.message === "" ? (code ?? error.name) : error.message;
}

function describeTls(code: string, error: Error): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "the certificate is for another host";
  if (code === "CERT_HAS_EXPIRED") return "the certificate has expired";
  if (code.includes("SELF_SIGNED")) return `the certificate is signed by no one we trust (${code})`;
  if (code.startsWith("UNABLE_TO_")) return `the certificate's authority is not known (${code})`;
  if (speaksNoTls(code)) return `the other side does not speak it (${code})`;
  return `${error.message} (${code})`;
}

function tlsRemedy(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return "connect by a name the certificate carries, or turn host name verification off";
  }
  if (code === "CERT_HAS_EXPIRED") return "renew the broker's certificate";
  if (speaksNoTls(code)) {
    return "use the broker's TLS port with pulsar+ssl://, or pulsar:// for the plain one";
  }
  return "name the certificate authority of the broker as trusted certificate";
}

/** A Pulsar broker's plain port hangs up on a TLS handshake. */
function speaksNoTls(code: string): boolean {
  return code === "EPROTO" || code === "ECONNRESET" || code === "closed" || code.startsWith("ERR_SSL_");
}
