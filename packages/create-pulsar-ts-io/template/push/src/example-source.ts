import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { PushSource, type SourceContext, type SourceRecord } from "@pulsar-ts-io/core";
import type { ExampleSourceOptions } from "./generated/options.ts";

/** Others are refused: each may have a body in memory while Pulsar is slow. */
const maxConnections = 64;

/** Makes a record of each POST, and answers it when Pulsar has the record. */
export class ExampleSource extends PushSource<ExampleSourceOptions> {
  #server: Server | undefined;
  #listening: Promise<unknown> = Promise.resolve();

  override async open(options: ExampleSourceOptions, context: SourceContext): Promise<void> {
    await super.open(options, context);
    context.signal.throwIfAborted();
    const server = createServer((request, response) => {
      this.#take(request, response, options.maxBodyBytes).catch((error: unknown) => {
        context.logger.debug({ err: error }, "request not taken");
        answer(response, 503);
      });
    });
    server.maxConnections = maxConnections;
    server.listen(options.port, "127.0.0.1");
    this.#server = server;
    this.#listening = once(server, "listening");
    await this.#listening;
    server.on("error", (error) => void this.notifyError(error));
  }

  async close(): Promise<void> {
    const server = this.#server;
    await this.#listening.catch(() => undefined); // it may be closed while it opens
    if (server === undefined || !server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes > maxBytes) return answer(response, 413);
      chunks.push(chunk);
    }
    const key = request.headers["x-key"];
    await this.consume(
      new RequestRecord(Buffer.concat(chunks), typeof key === "string" ? key : undefined, response),
    );
  }
}

/** The body of one request: a class, as there is one for each record. */
class RequestRecord implements SourceRecord {
  readonly value: Uint8Array;
  readonly key: string | undefined;
  readonly #response: ServerResponse;

  constructor(value: Uint8Array, key: string | undefined, response: ServerResponse) {
    this.value = value;
    this.key = key;
    this.#response = response;
  }

  ack(): void {
    answer(this.#response, 204);
  }

  /** It can never be published: the caller learns of it, and the source goes on. */
  fail(): void {
    answer(this.#response, 503);
  }
}

function answer(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status).end();
}
