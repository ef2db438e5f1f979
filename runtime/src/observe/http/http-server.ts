import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import { ConnectorError, codeOf, type Logger, toError } from "@pulsar-ts-io/core";
import { HostCheck, type HostPattern } from "./host-check.ts";

/** What a path answers with. */
export interface Answer {
  /** Default 200. */
  readonly status?: number | undefined;
  readonly contentType: string;
  readonly body: string;
}

/** What there is to see, by path. */
export type Pages = ReadonlyMap<string, () => Answer | Promise<Answer>>;

export interface HttpAddress {
  /** 0: one that is free. */
  readonly port: number;
  /** The address or name to listen at; `0.0.0.0` and `::` both stand for every address of the machine, IPv4 and IPv6. */
  readonly host: string;
  /** Host names that requests may use, besides IP addresses, `localhost` and the machine's name. */
  readonly names: readonly HostPattern[];
}

/** The port cannot be listened at. */
class HttpPortError extends ConnectorError {
  readonly code = "PIO_HTTP_PORT";
  readonly retryable = false;
}

/** Cluster nodes have IPv4, IPv6 or both: all addresses of one family include those of the other. */
const everyAddress: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
/** What the bind to `::` fails with where the kernel has no IPv6. */
const withoutIpv6: ReadonlySet<string> = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"]);

const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** Answers GET at one port, to whoever asks for it by its own name; nothing can be changed through it. */
export class HttpServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #hosts: HostCheck;
  readonly #logger: Logger;
  #pages: Pages = new Map();

  private constructor({ host, names }: HttpAddress, logger: Logger) {
    this.#hosts = new HostCheck(["localhost", hostname(), host, ...names]);
    this.#logger = logger;
    const limits = { maxHeaderSize: 16_384, headersTimeout: 5_000, requestTimeout: 10_000 };
    this.#server = createServer(limits, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = 100;
  }

  /** @throws HttpPortError (`PIO_HTTP_PORT`). */
  static async listen(address: HttpAddress, logger: Logger): Promise<HttpServer> {
    const server = new HttpServer(address, logger);
    try {
      await server.#listen(address);
    } catch (error) {
      throw portError(address, error);
    }
    return server;
  }

  async #listen({ host, port }: HttpAddress): Promise<void> {
    if (!everyAddress.has(host)) return await this.#bind(port, host);
    try {
      await this.#bind(port, "::"); // IPv4 as well: Node clears IPV6_V6ONLY
    } catch (error) {
      if (!withoutIpv6.has(codeOf(error) ?? "")) throw error;
      await this.#bind(port, "0.0.0.0");
    }
  }

  async #bind(port: number, host: string): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
  }

  /** The URL of its root. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") return "";
    const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
    return `http://${host}:${address.port}/`;
  }

  /** From now on these are there. Before that every path answers 503: the start is not over. */
  show(pages: Pages): void {
    this.#pages = pages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // a body is of no interest, and must not fill the connection
    response.on("error", () => undefined); // the reader left
    try {
      send(request, response, await this.#answerTo(request, response));
    } catch (error) {
      this.#logger.warn({ err: error, path: pathOf(request) }, "HTTP request not answered");
      send(request, response, text(500, "this could not be told: the log says why"));
    }
  }

  async #answerTo(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    if (!this.#hosts.accepts(request.headers.host)) {
      return text(421, "the Host header does not name this server: add the name to --http-allowed-hosts");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return text(405, "nothing can be changed here");
    }
    if (this.#pages.size === 0) return text(503, "starting");
    const page = this.#pages.get(pathOf(request));
    return page === undefined ? text(404, "there is nothing here") : await page();
  }
}

/** An answer of one line. */
function text(status: number, line: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body: `${line}\n` };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status ?? 200, {
    ...headers,
    "Content-Type": answer.contentType,
    "Content-Length": body.byteLength,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

function portError({ host, port }: HttpAddress, cause: unknown): HttpPortError {
  const [why, remedy] = reasons.get(codeOf(cause) ?? "") ?? [
    toError(cause).message,
    "choose another address with --http-host or another port with --http-port",
  ];
  return new HttpPortError(`cannot listen for HTTP at ${host}:${port}: ${why}`, { cause, remedy });
}

const reasons: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["EADDRINUSE", ["the port is taken", "choose another one with --http-port; 0 takes one that is free"]],
  ["EACCES", ["this user may not take the port", "choose one from 1024 on with --http-port"]],
  ["EADDRNOTAVAIL", ["this machine does not have that address", "choose one that it has with --http-host"]],
  ["ENOTFOUND", ["no address is known for that name", "choose another one with --http-host"]],
]);
