import type { Authentication } from "../auth/authentication.ts";
import { encodeCommand, protocolVersion } from "../wire/commands.ts";

/** What the broker's logs and stats call us. */
const clientVersion = "pulsar-ts-io";

/** CONNECT, with fresh credentials. @param proxyToBrokerUrl `host:port` of the broker behind a proxy. */
export async function connectFrame(
  authentication: Authentication,
  proxyToBrokerUrl: string | undefined,
): Promise<Uint8Array> {
  return encodeCommand("connect", {
    clientVersion,
    authData: await authentication.credentials(),
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

/** AUTH_RESPONSE, with fresh credentials. */
export async function authResponseFrame(authentication: Authentication): Promise<Uint8Array> {
  const data = await authentication.credentials();
  const response = { method: authentication.method, data };
  return encodeCommand("authResponse", { clientVersion, response, protocolVersion });
}
