import type { Authentication } from "../auth/authentication.ts";
import type { BoundedSignal } from "../wait.ts";
import { encodeCommand, protocolVersion } from "../wire/commands.ts";

/** What the broker's logs and stats call us. */
const clientVersion = "pulsar-ts-io";

/** CONNECT, with fresh credentials. @param proxyToBrokerUrl `host:port` of the broker behind a proxy. */
export async function connectFrame(
  authentication: Authentication,
  proxyToBrokerUrl: string | undefined,
  signal: BoundedSignal,
): Promise<Uint8Array> {
  return encodeCommand("connect", {
    clientVersion,
    authData: await authentication.credentials(signal),
    protocolVersion,
    authMethodName: authentication.method,
    proxyToBrokerUrl,
    featureFlags: {
      supportsAuthRefresh: true,
      supportsPartialProducer: true,
      supportsPartitionsWithoutAutoCreation: true,
    },
  });
}

/** AUTH_RESPONSE, with credentials that are newer than the last ones. */
export async function authResponseFrame(
  authentication: Authentication,
  signal: BoundedSignal,
): Promise<Uint8Array> {
  authentication.forget?.();
  const data = await authentication.credentials(signal);
  const response = { method: authentication.method, data };
  return encodeCommand("authResponse", { clientVersion, response, protocolVersion });
}
