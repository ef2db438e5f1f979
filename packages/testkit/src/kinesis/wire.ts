import { randomUUID } from "node:crypto";
import { type Caller, callerOf } from "./caller.ts";
import { answerEvents, type StreamStep } from "./event-answer.ts";
import { type CallTarget, refusal } from "./faults.ts";
import { type KinesisService, targetOf } from "./kinesis-service.ts";
import { ServiceError } from "./service-error.ts";
import { Subscription } from "./subscription.ts";
import type { WireFormat } from "./wire-format.ts";
import { decodeRequest, wireFormat } from "./wire-formats.ts";

/** A call as it came over some transport. */
export interface WireCall {
  /** The header `X-Amz-Target`: `Kinesis_20131202.GetRecords`. A form has the operation in its `Action` instead. */
  readonly target: string | undefined;
  /** The header `Authorization`; its credential scope names the access key and the region. */
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly userAgent: string | undefined;
  readonly body: Buffer;
}

export interface WireHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface WireAnswer extends WireHead {
  readonly chunks: readonly Uint8Array[];
}

/** What the transport shall do. */
export type Outcome =
  /** With `farewell`, tell the caller to use the connection for nothing else. */
  | { readonly kind: "answer"; readonly answer: WireAnswer; readonly farewell?: true }
  /** Send the steps as they come. */
  | {
      readonly kind: "stream";
      readonly head: WireHead;
      readonly steps: AsyncIterable<StreamStep>;
      readonly farewell?: true;
    }
  /** Send half of it, then reset the connection. */
  | { readonly kind: "cut"; readonly answer: WireAnswer }
  /** Reset the connection. */
  | { readonly kind: "reset" }
  /** Close it in good order without an answer. */
  | { readonly kind: "hang-up" }
  /** Leave the connection open and say nothing. */
  | { readonly kind: "silence" }
  /** The same for everything on the connection. */
  | { readonly kind: "half-open" };

type Answered = Extract<Outcome, { kind: "answer" | "stream" }>;

/** Answers a call in the format that it was asked in, faults included. Rejects only with the signal's reason: the caller hung up. */
export async function answerCall(
  service: KinesisService,
  call: WireCall,
  signal: AbortSignal,
): Promise<Outcome> {
  const { clock } = service.model;
  const format = wireFormat(call.contentType);
  const body = decodeRequest(format, call.body, call.contentEncoding);
  const operation = call.target?.slice(call.target.indexOf(".") + 1) ?? actionIn(body);
  service.arrived(operation);
  const target = targetOf(operation, body);
  service.remember({ ...target, body, userAgent: call.userAgent, atMs: clock.now() });
  const effect = service.faults.strike(target);
  const caller = callerOf(call.authorization);
  const perform = () => answered(service, { target, body, caller, format }, signal);
  switch (effect?.kind) {
    case undefined:
      return perform();
    case "refuse":
      return { kind: "answer", answer: errorAnswer(service, refusal(effect, target), format) };
    case "reset":
    case "hang-up":
    case "silence":
    case "half-open":
      return { kind: effect.kind };
    case "lose-answer":
      perform();
      return { kind: "reset" };
    case "cut-answer":
      return cutShort(perform());
    case "corrupt":
      return spoiled(perform());
    case "goaway":
      return { ...perform(), farewell: true };
    case "delay":
      await clock.sleep(effect.ms, signal);
      return perform();
    default:
      return effect satisfies never;
  }
}

interface ParsedCall {
  readonly target: CallTarget;
  readonly body: unknown;
  readonly caller: Caller;
  readonly format: WireFormat;
}

function answered(service: KinesisService, call: ParsedCall, signal: AbortSignal): Answered {
  const { target, body, caller, format } = call;
  try {
    const result = service.perform(target.operation, body, caller, format.records);
    if (!(result instanceof Subscription)) {
      return {
        kind: "answer",
        answer: wireAnswer(service, 200, format.encode(result, target.operation), format),
      };
    }
    const head = wireHead(service, 200, "application/vnd.amazon.eventstream");
    const { faults, model } = service;
    return {
      kind: "stream",
      head,
      steps: answerEvents(result, { faults, clock: model.clock, target }, signal),
    };
  } catch (error) {
    const failure =
      error instanceof ServiceError
        ? error
        : new ServiceError("InternalFailure", `a defect of the double: ${error}`);
    return { kind: "answer", answer: errorAnswer(service, failure, format) };
  }
}

/** Of a stream only the head is left. */
function cutShort(outcome: Answered): Outcome {
  return {
    kind: "cut",
    answer: outcome.kind === "answer" ? outcome.answer : { ...outcome.head, chunks: [] },
  };
}

/** Neither JSON nor CBOR nor XML begins with such a byte. Of a stream nothing can be read either. */
function spoiled(outcome: Answered): Outcome {
  const [first, ...others] = outcome.kind === "answer" ? outcome.answer.chunks : [Buffer.of(0)];
  const chunks = [Buffer.of(0xff), first?.subarray(1) ?? Buffer.alloc(0), ...others];
  const head = outcome.kind === "answer" ? outcome.answer : outcome.head;
  return { kind: "answer", answer: { ...head, chunks } };
}

function errorAnswer(service: KinesisService, failure: ServiceError, format: WireFormat): WireAnswer {
  const { status, chunks } = format.encodeError(failure);
  return wireAnswer(service, status, chunks, format);
}

function wireAnswer(
  service: KinesisService,
  status: number,
  chunks: readonly Uint8Array[],
  format: WireFormat,
): WireAnswer {
  const { headers } = wireHead(service, status, format.contentType);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return { status, headers: { ...headers, "content-length": String(length) }, chunks };
}

function wireHead(service: KinesisService, status: number, contentType: string): WireHead {
  return {
    status,
    headers: {
      "content-type": contentType,
      // Consumers take the service's time from here, so it follows the clock of the model.
      date: new Date(service.model.clock.now()).toUTCString(),
      "x-amzn-requestid": randomUUID(),
    },
  };
}

function actionIn(body: unknown): string {
  const action = typeof body === "object" && body !== null && "Action" in body ? body.Action : undefined;
  return typeof action === "string" ? action : "";
}
