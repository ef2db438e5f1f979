import { type ClientRequest, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { toError } from "@pulsar-ts-io/core";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";

/** The proxy did not open a connection to the host. */
class ProxyError extends Error {
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

/** Without user and password. */
export function describeProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

interface AgentOptions {
  readonly keepAlive: boolean;
  readonly maxSockets: number;
}

/** Agents that send requests through `proxy`. */
export function proxyAgents(
  proxy: URL,
  options: AgentOptions,
): { httpAgent: PlainAgent; httpsAgent: TunnelAgent } {
  return { httpAgent: new PlainAgent(proxy, options), httpsAgent: new TunnelAgent(proxy, options) };
}

/** The library answers the request itself with what the proxy said: that would be taken for an answer of AWS. */
class TunnelAgent extends HttpsProxyAgent<string> {
  override async connect(...args: Parameters<HttpsProxyAgent<string>["connect"]>): Promise<Socket> {
    const [request] = args;
    let status: number | undefined;
    request.once("proxyConnect", (answer: { statusCode?: number }) => {
      status = answer.statusCode;
    });
    const socket = await reached(this.proxy, super.connect(...args));
    if (status === undefined || status === 200) return socket;
    socket.destroy();
    throw new ProxyError(this.proxy, `refused the connection with status ${status}`);
  }
}

class PlainAgent extends HttpProxyAgent<string> {
  override async connect(...args: Parameters<HttpProxyAgent<string>["connect"]>): Promise<Socket> {
    return await reached(this.proxy, super.connect(...args));
  }
}

async function reached(proxy: URL, connecting: Promise<Socket>): Promise<Socket> {
  try {
    return await connecting;
  } catch (error) {
    throw notReached(proxy, toError(error));
  }
}

function notReached(proxy: URL, cause: Error): ProxyError {
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
  return new ProxyError(proxy, `cannot be reached (${code})`, cause);
}

/** Opens a TLS connection for HTTP/2 to `authority` through `proxy`. It may be written to at once. */
export function http2Through(proxy: URL, authority: URL): Duplex {
  const socket = new ProxyTunnel(proxy, authority);
  return connectTls({ socket, servername: authority.hostname, ALPNProtocols: ["h2"] });
}

/** A connection to a host that a proxy relays; what is written before it stands waits for it. */
class ProxyTunnel extends Duplex {
  readonly #request: ClientRequest;
  #socket: Socket | undefined;
  #waiting: (() => void) | undefined;

  constructor(proxy: URL, authority: URL) {
    super();
    const path = `${authority.hostname}:${authority.port === "" ? 443 : authority.port}`;
    const { username, password } = proxy;
    const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    this.#request = (proxy.protocol === "https:" ? tlsRequest : plainRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port === "" ? undefined : Number(proxy.port),
      method: "CONNECT",
      path,
      headers: {
        host: path,
        ...(username === "" ? {} : { "proxy-authorization": `Basic ${login.toString("base64")}` }),
      },
    });
    this.#request.once("error", (error) => this.destroy(notReached(proxy, error)));
    this.#request.once("connect", (answer, socket, head) => {
      if (answer.statusCode === 200) return this.#open(socket, head);
      socket.destroy();
      this.destroy(new ProxyError(proxy, `refused the connection with status ${answer.statusCode}`));
    });
    this.#request.end();
  }

  #open(socket: Socket, head: Buffer): void {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once("end", () => this.push(null));
    socket.once("error", (error) => this.destroy(error));
    socket.once("close", () => this.destroy());
    if (head.length > 0) this.push(head);
    this.#waiting?.();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const write = () => this.#socket?.write(chunk, done);
    if (this.#socket === undefined) this.#waiting = write;
    else write();
  }

  override _final(done: () => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#request.destroy();
    this.#socket?.destroy();
    done(error);
  }
}
