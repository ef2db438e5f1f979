import { Readable } from "node:stream";
import type { KinesisService } from "./kinesis-service.ts";
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
    const signal =
      options.abortSignal instanceof AbortSignal ? options.abortSignal : new AbortController().signal;
    const call = {
      target: request.headers["x-amz-target"],
      authorization: request.headers["authorization"],
      body: bytesOf(request.body),
    };
    return { response: await respond(await answerCall(this.#service, call, signal), signal) };
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

function respond(outcome: Outcome, signal: AbortSignal): SdkResponse | Promise<never> {
  switch (outcome.kind) {
    case "answer": {
      const { status, headers, chunks } = outcome.answer;
      return { statusCode: status, headers: { ...headers }, body: Readable.from([Buffer.concat(chunks)]) };
    }
    case "cut":
    case "reset":
      throw connectionReset();
    case "silence":
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    default:
      return outcome satisfies never;
  }
}

/** As Node's sockets report it. */
function connectionReset(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", errno: -104, syscall: "read" });
}
