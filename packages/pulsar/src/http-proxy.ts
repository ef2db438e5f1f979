import { getProxyForUrl } from "proxy-from-env";
import type { BoundedSignal } from "./wait.ts";

/** `fetch`, as far as a token issuer is asked: each call ends within a bound. */
export interface BoundedFetch {
  (url: string, init: RequestInit & { readonly signal: BoundedSignal }): Promise<Response>;
  /** The proxy that a request for `url` goes through; absent: none. */
  readonly proxyFor?: (url: URL) => URL | undefined;
}

/** The proxy did not open a connection to the host. The message names the proxy, without its password. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";

  /** @param why what the proxy did instead. */
  constructor(proxy: URL, why: string, cause?: Error) {
    super(`the proxy ${describeProxy(proxy)} ${why}`, { cause });
  }
}

/** The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for a URL. None for this machine itself. */
export function proxyFor(url: URL): URL | undefined {
  if (/^(localhost|127\..*|\[::1\])$/.test(url.hostname)) return undefined;
  const proxy = getProxyForUrl(url.href);
  return URL.canParse(proxy) ? new URL(proxy) : undefined;
}

/** What an error adds about the way to a host; empty without a proxy. */
export function throughProxy(proxy: URL | undefined): string {
  return proxy === undefined ? "" : ` through the proxy ${describeProxy(proxy)}`;
}

/** @param host what cannot be reached through a proxy. */
export function proxyRemedy(host: string): string {
  return `check HTTPS_PROXY and HTTP_PROXY with the user and password in them, let the proxy connect to ${host}, or list that host in NO_PROXY`;
}

/** Without user and password. */
function describeProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}
