import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "@pulsar-ts-io/core";
import { control } from "./control.ts";
import { KinesisFaults } from "./faults.ts";
import { KinesisModel } from "./kinesis-model.ts";
import { KinesisService } from "./kinesis-service.ts";
import { sendOutcome } from "./send-outcome.ts";
import type { ShardLimits } from "./shard-limits.ts";
import { answerCall } from "./wire.ts";

export interface KinesisDoubleOptions {
  /** For arrival times, expiry, retention and slow answers; default the real one. */
  readonly clock?: Clock | undefined;
  /** How long streams are CREATING and UPDATING, milliseconds; default 0. */
  readonly transitionMs?: number | undefined;
  /** For faults with a probability, in [0, 1). */
  readonly random?: (() => number) | undefined;
}

/** A Kinesis that does what a test tells it to. */
export interface KinesisDouble extends AsyncDisposable {
  /** `http://127.0.0.1:…`, HTTP/1.1. Any credentials do; the region they are signed for keeps streams apart. */
  readonly endpoint: string;
  /** The streams: what is done here is seen at once. */
  readonly model: KinesisModel;
  readonly faults: KinesisFaults;
  readonly limits: ShardLimits;
  /** Counts and remembers the calls. */
  readonly service: KinesisService;
  /** Ends every connection. Idempotent. */
  close(): Promise<void>;
}

/** Starts the double on a port of the system's choice. */
export async function startKinesisDouble(options: KinesisDoubleOptions = {}): Promise<KinesisDouble> {
  const { clock = systemClock, transitionMs, random } = options;
  const model = new KinesisModel({ clock, transitionMs });
  const service = new KinesisService(model, new KinesisFaults(random));
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(service, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    model,
    faults: service.faults,
    limits: service.limits,
    service,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(
  service: KinesisService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const hangUp = new AbortController();
  response.on("close", () => hangUp.abort(new Error("the caller hung up")));
  const body = await read(request);
  const { url = "/" } = request;
  if (url.startsWith("/_double/")) {
    const { status, value } = control(service, `${request.method} ${url}`, body);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    return;
  }
  const target = request.headers["x-amz-target"];
  const call = {
    target: typeof target === "string" ? target : undefined,
    authorization: request.headers.authorization,
    body,
  };
  await sendOutcome(await answerCall(service, call, hangUp.signal), response, hangUp.signal);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
