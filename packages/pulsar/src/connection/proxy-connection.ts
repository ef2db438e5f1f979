import { type IncomingMessage, request } from "node:http";
import { isIP, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { codeOf, toError } from "@pulsar-ts-io/core";
import { type BoundedFetch, ProxyError, proxyFor } from "../http-proxy.ts";
import type { BoundedSignal } from "../wait.ts";
import { dial } from "./dial.ts";

/** As `fetch` has it. */
const maxRedirects = 20;

/** `fetch` through the proxy that the environment names: Node's own ignores it. @throws ProxyError, what `fetch` throws. */
export const proxiedFetch: BoundedFetch = Object.assign(
  (...[url, init]: Parameters<BoundedFetch>) => send(url, init, 0),
  { proxyFor },
);

/** Opens a connection to the proxy itself. @throws ProxyError, the signal's reason. */
export async function dialProxy(proxy: URL, signal: BoundedSignal): Promise<Socket> {
  const { protocol } = proxy;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new ProxyError(proxy, "is not an HTTP proxy: only http:// and https:// are supported");
  }
  const tls = protocol === "https:";
  const port = proxy.port === "" ? (tls ? 443 : 80) : Number(proxy.port);
  try {
    const trust = tls ? { allowInsecure: false, hostnameVerification: true } : undefined;
    return await dial({ host: bare(proxy), port }, trust, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw notReached(proxy, toError(toError(error).cause ?? error));
  }
}

/**
 * Asks the proxy for a connection to a host.
 *
 * @param authority `host:port`.
 * @throws ProxyError, the signal's reason.
 */
export async function dialThrough(proxy: URL, authority: string, signal: BoundedSignal): Promise<Socket> {
  const headers = { host: authority, ...proxyHeaders(proxy) };
  const socket = await dialProxy(proxy, signal);
  try {
    await askForTunnel(socket, proxy, headers, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    throw error;
  }
}

/** The headers that a request to a proxy needs. @throws ProxyError */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const login = Buffer.from(`${decoded(proxy, proxy.username)}:${decoded(proxy, proxy.password)}`);
  return { "proxy-authorization": `Basic ${login.toString("base64")}` };
}

/** The proxy answered for the host, and with a refusal. */
export function refusedByProxy(proxy: URL, status: number | undefined): ProxyError {
  return new ProxyError(proxy, `refused the connection with status ${status}`);
}

function askForTunnel(
  socket: Socket,
  proxy: URL,
  headers: { readonly host: string },
  signal: BoundedSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method: "CONNECT",
      path: headers.host,
      signal,
      headers: { ...headers },
    });
    asked.once("error", (error) => reject(notReached(proxy, error)));
    asked.once("connect", (answer, _socket, head) => {
      const { statusCode = 0 } = answer;
      if (statusCode < 200 || statusCode >= 300) return reject(refusedByProxy(proxy, statusCode));
      // The TLS connection above it reports an error as its own end.
      socket.on("error", () => undefined);
      if (head.length > 0) socket.unshift(head);
      resolve();
    });
    asked.end();
  });
}

async function send(...[url, init, redirects]: [...Parameters<BoundedFetch>, number]): Promise<Response> {
  const { signal } = init;
  const target = new URL(url);
  const proxy = proxyFor(target);
  if (proxy === undefined) return await fetch(url, init);
  const asked = new Request(url, init);
  const body = Buffer.from(await asked.arrayBuffer());
  const tls = target.protocol === "https:";
  const base = tls
    ? await dialThrough(proxy, `${target.hostname}:${target.port === "" ? 443 : target.port}`, signal)
    : await dialProxy(proxy, signal);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        createConnection: () => (tls ? startTls(base, bare(target)) : base),
        method: asked.method,
        path: tls ? `${target.pathname}${target.search}` : target.href,
        signal,
        headers: {
          ...Object.fromEntries(asked.headers),
          host: target.host,
          connection: "close",
          ...(tls ? {} : proxyHeaders(proxy)),
        },
      });
      sent.once("error", reject);
      sent.once("response", resolve);
      sent.end(body.length > 0 ? body : undefined);
    });
    const { statusCode: status = 0 } = answer;
    if (!tls && status === 407) throw refusedByProxy(proxy, status);
    const { location } = answer.headers;
    if (status >= 300 && status < 400 && location !== undefined) {
      if (asked.redirect === "error" || redirects >= maxRedirects)
        throw new Error("it redirects to another address");
      return await send(new URL(location, target).href, init, redirects + 1);
    }
    const said = await text(answer);
    return new Response(said === "" ? null : said, { status });
  } finally {
    base.destroy();
  }
}

/** The certificate is judged as `fetch` judges it: by the authorities that Node trusts. */
function startTls(socket: Socket, host: string): Socket {
  return connectTls({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

function notReached(proxy: URL, cause: Error): ProxyError {
  return new ProxyError(proxy, `cannot be reached (${codeOf(cause) ?? cause.message})`, cause);
}

function decoded(proxy: URL, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ProxyError(proxy, "has a user or a password that is not percent-encoded");
  }
}

/** The host without the brackets of an IPv6 address. */
function bare({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
