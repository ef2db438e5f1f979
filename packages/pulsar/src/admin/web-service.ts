import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { type Clock, hasCode, toError } from "@pulsar-ts-io/core";
import type { Authentication } from "../auth/authentication.ts";
import { resolveAuthentication } from "../auth/resolve-authentication.ts";
import { type DialTls, dial, type TlsOptions } from "../connection/dial.ts";
import {
  dialProxy,
  dialThrough,
  proxiedFetch,
  proxyHeaders,
  refusedByProxy,
} from "../connection/proxy-connection.ts";
import { type BrokerAddress, formatAddress } from "../connection/service-url.ts";
import { ProtocolError, PulsarUnreachableError } from "../errors.ts";
import { ProxyError, proxyFor, proxyRemedy, throughProxy } from "../http-proxy.ts";
import { type BoundedSignal, withDeadline } from "../wait.ts";
import { parseWebServiceUrl, type WebServiceUrl } from "./web-service-url.ts";

/** Longest wait for one answer. */
const requestMs = 10_000;
/** Brokers send each other's topics on. */
const maxRedirects = 10;
const maxAnswerBytes = 65_536;

export interface WebServiceOptions {
  /** `http://host:8080` or `https://host:8443`, several hosts separated by commas. */
  readonly webServiceUrl: string;
  /** As for the wire transport. */
  readonly authPlugin?: string | undefined;
  readonly authParams?: string | undefined;
  readonly tls: TlsOptions;
}

export interface WebServiceHost {
  readonly clock: Clock;
  /** Where `env:NAME` is looked up; default the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface WebAnswer {
  readonly status: number;
  readonly text: string;
  /** What errors add about the way it came, such as ` through the proxy http://proxy:3128`; absent without a proxy. */
  readonly through?: string;
}

interface Answer extends WebAnswer {
  readonly location: string | undefined;
}

/** Pulsar's admin API, as far as it is only asked. Each request has a connection of its own. */
export class WebService {
  readonly #url: WebServiceUrl;
  readonly #tls: TlsOptions;
  readonly #clock: Clock;
  readonly #authentication: Authentication;

  /** @throws InvalidServiceUrlError, UnsupportedAuthenticationError, InvalidAuthenticationError. */
  constructor(options: WebServiceOptions, host: WebServiceHost) {
    this.#url = parseWebServiceUrl(options.webServiceUrl);
    this.#tls = options.tls;
    this.#clock = host.clock;
    this.#authentication = resolveAuthentication({
      plugin: options.authPlugin,
      params: options.authParams,
      environment: host.environment ?? process.env,
      clock: host.clock,
      fetch: proxiedFetch,
    });
  }

  /**
   * GET, one host after the other until one answers. Redirects are followed.
   *
   * @param path begins with a slash.
   * @throws PulsarUnreachableError, PulsarTlsError, ProtocolError; what the credentials could not be had for; the signal's reason.
   */
  async get(path: string, signal: AbortSignal): Promise<WebAnswer> {
    let failure: Error = new PulsarUnreachableError("no address of the admin API was tried");
    for (const address of this.#url.addresses) {
      try {
        return await this.#follow(address, path, signal);
      } catch (error) {
        signal.throwIfAborted();
        failure = toError(error);
        if (!hasCode(error, "PIO_PULSAR_UNREACHABLE")) break;
      }
    }
    throw failure;
  }

  async #follow(first: BrokerAddress, firstPath: string, signal: AbortSignal): Promise<WebAnswer> {
    let [address, path] = [first, firstPath];
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const answer = await this.#ask(address, path, signal);
      if (answer.status < 300 || answer.status >= 400) return answer;
      const to = this.#redirected(answer.location, address);
      address = { host: to.hostname.replace(/^\[|\]$/g, ""), port: portOf(to) };
      path = `${to.pathname}${to.search}`;
    }
    throw new ProtocolError(`the admin API at ${formatAddress(first)} redirects without an end`);
  }

  /** Credentials that were meant for TLS never go where there is none. */
  #redirected(location: string | undefined, from: BrokerAddress): URL {
    const url = location !== undefined && URL.canParse(location) ? new URL(location) : undefined;
    if (url?.protocol === (this.#url.tls ? "https:" : "http:")) return url;
    throw new ProtocolError(
      `the admin API at ${formatAddress(from)} redirects to ${url?.origin ?? "nowhere"}`,
      { remedy: "give the address of the admin API that answers by itself" },
    );
  }

  async #ask(address: BrokerAddress, path: string, signal: AbortSignal): Promise<Answer> {
    const where = formatAddress(address);
    const proxy = proxyFor(new URL(`${this.#url.tls ? "https" : "http"}://${where}`));
    const through = throughProxy(proxy);
    const unreachable = (why: string, cause?: unknown) =>
      new PulsarUnreachableError(`no answer of the admin API at ${where}: ${why}`, {
        cause,
        details: { address: where },
        remedy:
          proxy === undefined
            ? "check the address of the admin API, and that it can be reached from here"
            : proxyRemedy(where),
      });
    const error = () => unreachable(`nothing came in ${requestMs} ms${through}`);
    return await withDeadline({ clock: this.#clock, ms: requestMs, error }, signal, async (either) => {
      const headers = await this.#headers(either);
      const identity = await this.#authentication.tlsIdentity?.(either);
      const tls = this.#url.tls ? { ...this.#tls, identity } : undefined;
      let socket: Socket | undefined;
      try {
        socket = await open(address, tls, proxy, either);
        const question = { host: where, path, headers };
        return await send(socket, question, { proxy, tls: tls !== undefined }, either);
      } catch (cause) {
        either.throwIfAborted();
        if (cause instanceof ProxyError) throw unreachable(cause.message, cause);
        throw socket === undefined ? cause : unreachable(`${toError(cause).message}${through}`, cause);
      } finally {
        socket?.destroy();
      }
    });
  }

  async #headers(signal: BoundedSignal): Promise<Record<string, string>> {
    const { method } = this.#authentication;
    if (method !== "token" && method !== "basic") return {};
    const credentials = Buffer.from(await this.#authentication.credentials(signal));
    return {
      authorization: method === "token" ? `Bearer ${credentials}` : `Basic ${credentials.toString("base64")}`,
    };
  }
}

/** A connection that requests for `address` are written to: with a proxy and without TLS the one to the proxy. */
async function open(
  address: BrokerAddress,
  tls: DialTls | undefined,
  proxy: URL | undefined,
  signal: BoundedSignal,
): Promise<Socket> {
  if (proxy === undefined) return await dial(address, tls, signal);
  if (tls === undefined) return await dialProxy(proxy, signal);
  const socket = await dialThrough(proxy, formatAddress(address), signal);
  try {
    return await dial(address, tls, signal, { socket, through: throughProxy(proxy) });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "https:" ? 443 : 80;
}

interface Question {
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One request over a connection that is open already, with or without TLS. */
function exchange(socket: Socket, { host, path, headers }: Question, signal: BoundedSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      createConnection: () => socket,
      path,
      signal,
      headers: { host, accept: "application/json", connection: "close", ...headers },
    });
    sent.on("error", reject);
    sent.on("response", (response) => readAnswer(response).then(resolve, reject));
    sent.end();
  });
}

/** One request over a connection that {@link open} opened. @throws ProxyError when it is the proxy that refuses it. */
async function send(
  socket: Socket,
  question: Question,
  { proxy, tls }: { readonly proxy: URL | undefined; readonly tls: boolean },
  signal: BoundedSignal,
): Promise<Answer> {
  if (proxy === undefined) return await exchange(socket, question, signal);
  const through = throughProxy(proxy);
  if (tls) return { ...(await exchange(socket, question, signal)), through };
  const { host, path, headers } = question;
  const asked = { host, path: `http://${host}${path}`, headers: { ...headers, ...proxyHeaders(proxy) } };
  const answer = await exchange(socket, asked, signal);
  if (answer.status === 407) throw refusedByProxy(proxy, answer.status);
  return { ...answer, through };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    const buffer = Buffer.from(piece);
    bytes += buffer.length;
    if (bytes > maxAnswerBytes) throw new ProtocolError("the answer is longer than any of the admin API");
    pieces.push(buffer);
  }
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(pieces).toString("utf8"),
    location: response.headers.location,
  };
}
