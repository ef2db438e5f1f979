import type { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { isAwsEndpoint } from "./aws-partition.ts";
import { AwsRequestHandler, hostOf, type RequestHandler } from "./aws-request-handler.ts";
import { describeProxy, http2Through, proxyFor } from "./http-proxy.ts";
import { WideHttp2Handler } from "./wide-http2-handler.ts";

/** What the SDK tells its handler of one request. */
type HandlerOptions = Parameters<NodeHttp2Handler["handle"]>[1];
type HandledRequest = Parameters<NodeHttpHandler["handle"]>[0];
type HandledAnswer = ReturnType<NodeHttpHandler["handle"]>;

/**
 * Sends subscriptions over connections of their own, which may live for minutes, and every other call over `calls`.
 *
 * On AWS itself a subscription is an HTTP/2 session. Elsewhere it is HTTP/1.1: the SDK says goodbye to such a session as soon as
 * the answer begins, and emulators end the subscription for it, one of them without an error.
 */
export class KinesisHandler {
  readonly metadata: { readonly handlerProtocol: string };
  readonly #calls: RequestHandler;
  readonly #subscriptions: RequestHandler | NodeHttp2Handler;
  readonly #proxied = new Map<string, NodeHttp2Handler>();

  /** @param options.endpoint absent: AWS's own. */
  constructor(
    calls: RequestHandler,
    options: { readonly connectTimeoutMs: number; readonly endpoint: string | undefined },
  ) {
    this.#calls = calls;
    this.metadata = calls.metadata;
    // No time-outs: the reader watches its subscription itself.
    this.#subscriptions =
      options.endpoint === undefined || isAwsEndpoint(options.endpoint)
        ? new WideHttp2Handler()
        : new AwsRequestHandler({
            connectTimeoutMs: options.connectTimeoutMs,
            keepAlive: false,
            maxSockets: Number.POSITIVE_INFINITY,
          });
  }

  handle(request: HandledRequest, options: HandlerOptions = {}): HandledAnswer {
    const handler = options.isEventStream === true ? this.#subscriptionsFor(request) : this.#calls;
    return handler.handle(request, options);
  }

  destroy(): void {
    this.#calls.destroy();
    for (const handler of [this.#subscriptions, ...this.#proxied.values()]) handler.destroy();
  }

  updateHttpClientConfig(...setting: Parameters<NodeHttpHandler["updateHttpClientConfig"]>): void {
    this.#calls.updateHttpClientConfig(...setting);
  }

  httpHandlerConfigs(): ReturnType<NodeHttpHandler["httpHandlerConfigs"]> {
    return this.#calls.httpHandlerConfigs();
  }

  /** HTTP/2 goes through a proxy in a tunnel of its own; HTTP/1.1 finds its proxy itself. */
  #subscriptionsFor(request: HandledRequest): RequestHandler | NodeHttp2Handler {
    const direct = this.#subscriptions;
    const proxy = direct instanceof WideHttp2Handler ? proxyFor(hostOf(request)) : undefined;
    if (proxy === undefined) return direct;
    const name = describeProxy(proxy);
    const known = this.#proxied.get(name);
    if (known !== undefined) return known;
    const handler = new WideHttp2Handler((authority) => http2Through(proxy, authority));
    this.#proxied.set(name, handler);
    return handler;
  }
}
