import { type NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { isAwsEndpoint } from "./aws-partition.ts";
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
  readonly #calls: NodeHttpHandler;
  readonly #subscriptions: NodeHttpHandler | NodeHttp2Handler;

  /** @param options.endpoint absent: AWS's own. */
  constructor(
    calls: NodeHttpHandler,
    options: { readonly connectTimeoutMs: number; readonly endpoint: string | undefined },
  ) {
    this.#calls = calls;
    this.metadata = calls.metadata;
    // No time-outs: the reader watches its subscription itself.
    this.#subscriptions =
      options.endpoint === undefined || isAwsEndpoint(options.endpoint)
        ? new WideHttp2Handler()
        : new NodeHttpHandler({
            connectionTimeout: options.connectTimeoutMs,
            httpAgent: { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY },
            httpsAgent: { keepAlive: false, maxSockets: Number.POSITIVE_INFINITY },
          });
  }

  handle(request: HandledRequest, options: HandlerOptions = {}): HandledAnswer {
    const handler = options.isEventStream === true ? this.#subscriptions : this.#calls;
    return handler.handle(request, options);
  }

  destroy(): void {
    this.#calls.destroy();
    this.#subscriptions.destroy();
  }

  updateHttpClientConfig(...setting: Parameters<NodeHttpHandler["updateHttpClientConfig"]>): void {
    this.#calls.updateHttpClientConfig(...setting);
  }

  httpHandlerConfigs(): ReturnType<NodeHttpHandler["httpHandlerConfigs"]> {
    return this.#calls.httpHandlerConfigs();
  }
}
