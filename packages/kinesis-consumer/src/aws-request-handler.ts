import { NodeHttpHandler } from "@smithy/node-http-handler";
import { proxyAgents, proxyFor } from "./http-proxy.ts";

/** What the SDK needs of the object that sends its requests. */
export type RequestHandler = Pick<
  NodeHttpHandler,
  "metadata" | "handle" | "destroy" | "updateHttpClientConfig" | "httpHandlerConfigs"
>;
type Request = Parameters<NodeHttpHandler["handle"]>[0];

export interface RequestHandlerOptions {
  readonly connectTimeoutMs: number;
  /** Longest time until an answer begins, and longest pause in it, milliseconds. Absent: without end. */
  readonly requestTimeoutMs?: number | undefined;
  readonly keepAlive: boolean;
  readonly maxSockets: number;
}

/** The part of a request that names its host. */
interface Host {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
}

/** The URL of a request's host. */
export function hostOf({ protocol, hostname, port }: Host): URL {
  return new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`);
}

/** Sends requests over HTTP/1.1, through the proxy that the environment names for their host. */
export class AwsRequestHandler implements RequestHandler {
  readonly metadata: RequestHandler["metadata"];
  readonly #options: RequestHandlerOptions;
  readonly #direct: NodeHttpHandler;
  readonly #proxied = new Map<string, NodeHttpHandler>();
  readonly #proxies = new Map<string, URL | undefined>();

  constructor(options: RequestHandlerOptions) {
    const { keepAlive, maxSockets } = options;
    this.#options = options;
    // All connections of a burst are kept for the next one, not the 256 that Node keeps.
    const agent = { keepAlive, maxSockets, maxFreeSockets: maxSockets };
    this.#direct = this.#handler({ httpAgent: agent, httpsAgent: agent });
    this.metadata = this.#direct.metadata;
  }

  handle(
    ...[request, options]: Parameters<NodeHttpHandler["handle"]>
  ): ReturnType<NodeHttpHandler["handle"]> {
    const proxy = this.#proxyOf(request);
    return (proxy === undefined ? this.#direct : this.#through(proxy)).handle(request, options);
  }

  /** The environment of a process stays as it is: each host is looked up once. */
  #proxyOf(request: Request): URL | undefined {
    const { protocol, hostname, port } = request;
    const key = `${protocol}//${hostname}:${port ?? ""}`;
    if (!this.#proxies.has(key)) this.#proxies.set(key, proxyFor(hostOf(request)));
    return this.#proxies.get(key);
  }

  destroy(): void {
    for (const handler of [this.#direct, ...this.#proxied.values()]) handler.destroy();
  }

  updateHttpClientConfig(...setting: Parameters<NodeHttpHandler["updateHttpClientConfig"]>): void {
    this.#direct.updateHttpClientConfig(...setting);
  }

  httpHandlerConfigs(): ReturnType<NodeHttpHandler["httpHandlerConfigs"]> {
    return this.#direct.httpHandlerConfigs();
  }

  #through(proxy: URL): NodeHttpHandler {
    let handler = this.#proxied.get(proxy.href);
    if (handler === undefined) {
      handler = this.#handler(proxyAgents(proxy, this.#options));
      this.#proxied.set(proxy.href, handler);
    }
    return handler;
  }

  #handler(agents: NonNullable<ConstructorParameters<typeof NodeHttpHandler>[0]>): NodeHttpHandler {
    const { connectTimeoutMs, requestTimeoutMs } = this.#options;
    return new NodeHttpHandler({
      connectionTimeout: connectTimeoutMs,
      ...(requestTimeoutMs === undefined
        ? {}
        : {
            requestTimeout: requestTimeoutMs,
            socketTimeout: requestTimeoutMs,
            // Without this the handler only prints a warning when the time is up.
            throwOnRequestTimeout: true,
          }),
      ...agents,
    });
  }
}
