import { Readable } from "node:stream";
import type { StreamStep } from "./event-answer.ts";
import type { KinesisService } from "./kinesis-service.ts";
import { firstHalf } from "./send-outcome.ts";
import { answerCall, type Outcome } from "./wire.ts";

/** The part of an AWS SDK request that the double looks at. */
interface SdkRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/**
 * A `requestHandler` for an AWS SDK client that calls the double without a network.
 *
 * With a test clock nothing then needs real time but a few turns of the loop, so a test that skips minutes is exact.
 */
export class InProcessHandler {
  readonly metadata: { readonly handlerProtocol: string } = { handlerProtocol: "http/1.1" };
  readonly #service: KinesisService;

  constructor(service: KinesisService) {
    this.#service = service;
  }

  async handle(
    request: SdkRequest,
    options: { readonly abortSignal?: { readonly aborted: boolean } | undefined } = {},
  ): Promise<{ response: SdkResponse }> {
    const hangUp = new AbortController();
    hangUpWith(options.abortSignal, hangUp);
    const call = {
      target: request.headers["x-amz-target"],
      authorization: request.headers["authorization"],
      contentType: request.headers["content-type"],
      contentEncoding: request.headers["content-encoding"],
      userAgent: request.headers["user-agent"],
      body: bytesOf(request.body),
    };
    return { response: await respond(await answerCall(this.#service, call, hangUp.signal), hangUp) };
  }

  destroy(): void {}
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** The SDK's own byte arrays complain when they are taken for strings, as `Buffer.from` does: view them instead. */
function bytesOf(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return Buffer.from(typeof body === "string" ? body : "");
}

function hangUpWith(signal: { readonly aborted: boolean } | undefined, hangUp: AbortController): void {
  if (!(signal instanceof AbortSignal)) return;
  if (signal.aborted) hangUp.abort(signal.reason);
  const listener = () => hangUp.abort(signal.reason);
  signal.addEventListener("abort", listener, { once: true });
  hangUp.signal.addEventListener("abort", () => signal.removeEventListener("abort", listener), {
    once: true,
  });
}

async function respond(outcome: Outcome, hangUp: AbortController): Promise<SdkResponse> {
  switch (outcome.kind) {
    case "answer": {
      const { status, headers, chunks } = outcome.answer;
      return { statusCode: status, headers: { ...headers }, body: bodyOf([Buffer.concat(chunks)], hangUp) };
    }
    case "stream": {
      const { status, headers } = outcome.head;
      const bytes = bytesOfSteps(outcome.steps, hangUp.signal);
      return { statusCode: status, headers: { ...headers }, body: bodyOf(bytes, hangUp) };
    }
    case "cut":
    case "reset":
    case "hang-up":
      throw connectionReset();
    case "silence":
    case "half-open":
      return await forever(hangUp.signal);
    default:
      return outcome satisfies never;
  }
}

/** Whoever stops reading hangs up, and the other way round. */
function bodyOf(bytes: Iterable<Buffer> | AsyncIterable<Buffer>, hangUp: AbortController): Readable {
  const body = Readable.from(bytes, { highWaterMark: 1 });
  // Whoever reads it learns of an error; whoever does not, needs not.
  body.on("error", () => {});
  hangUp.signal.addEventListener("abort", () => body.destroy(hangUp.signal.reason), { once: true });
  return body.once("close", () => hangUp.abort(new Error("the caller hung up")));
}

async function* bytesOfSteps(
  steps: AsyncIterable<StreamStep>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const step of steps) {
    switch (step.kind) {
      case "frame":
        yield Buffer.concat(step.chunks);
        break;
      case "cut":
        yield Buffer.concat(firstHalf(step.chunks));
        throw connectionReset();
      case "reset":
        throw connectionReset();
      case "silence":
      case "half-open":
        return await forever(signal);
      default:
        step satisfies never;
    }
  }
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** As Node's sockets report it. */
function connectionReset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104, syscall: "read" });
}
