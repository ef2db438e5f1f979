import type { Clock, Logger } from "@pulsar-ts-io/core";
import type { WatchedSource } from "../supervise/instance-report.ts";
import { type HttpAddress, HttpServer } from "./http/http-server.ts";
import { type PagesOptions, sourcePages } from "./http/pages.ts";
import { SourceMonitor } from "./source-monitor.ts";

/** The HTTP port of a run: taken before anything else is opened, given back after all else is closed. */
export class Observation implements AsyncDisposable {
  readonly #server: HttpServer;
  readonly #host: { readonly clock: Clock; readonly logger: Logger };

  private constructor(server: HttpServer, host: { readonly clock: Clock; readonly logger: Logger }) {
    this.#server = server;
    this.#host = host;
  }

  /** @throws HttpPortError (`PIO_HTTP_PORT`). */
  static async open(
    address: HttpAddress,
    host: { readonly clock: Clock; readonly logger: Logger },
  ): Promise<Observation> {
    const server = await HttpServer.listen(address, host.logger);
    host.logger.info({ url: server.url }, "serving status and metrics");
    return new Observation(server, host);
  }

  /** Shows `source`, and watches it until `signal` aborts. */
  async watch(
    source: WatchedSource,
    options: PagesOptions & { readonly cluster: string },
    signal: AbortSignal,
  ): Promise<void> {
    const monitor = new SourceMonitor(source, { ...options.source, cluster: options.cluster }, this.#host);
    this.#server.show(sourcePages(monitor, options));
    await monitor.run(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}
