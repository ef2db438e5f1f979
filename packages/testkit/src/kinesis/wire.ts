import { randomUUID } from "node:crypto";
import { type FaultEffect, refusal } from "./faults.ts";
import { type KinesisService, targetOf } from "./kinesis-service.ts";
import { ServiceError } from "./service-error.ts";

/** A call as it came over some transport. */
export interface WireCall {
  /** The header `X-Amz-Target`: `Kinesis_20131202.GetRecords`. */
  readonly target: string | undefined;
  /** The header `Authorization`; its credential scope names the region. */
  readonly authorization: string | undefined;
  readonly body: Buffer;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks: readonly Uint8Array[];
}

/** What the transport shall do. */
export type Outcome =
  | { readonly kind: "answer"; readonly answer: WireAnswer }
  /** Send half of it, then reset the connection. */
  | { readonly kind: "cut"; readonly answer: WireAnswer }
  /** Reset the connection. */
  | { readonly kind: "reset" }
  /** Leave the connection open and say nothing. */
  | { readonly kind: "silence" };

/** Answers a call in AWS JSON 1.1, faults included. Rejects only with the signal's reason: the caller hung up. */
export async function answerCall(
  service: KinesisService,
  call: WireCall,
  signal: AbortSignal,
): Promise<Outcome> {
  const operation = call.target?.slice(call.target.indexOf(".") + 1) ?? "";
  service.arrived(operation);
  const { clock } = service.model;
  const body = parse(call.body);
  const target = targetOf(operation, body);
  service.remember({ ...target, body, atMs: clock.now() });
  const effect = service.faults.strike(target);
  const perform = () =>
    answerOf(service, () => service.perform(operation, body, regionOf(call.authorization)));
  switch (effect?.kind) {
    case undefined:
      return { kind: "answer", answer: perform() };
    case "refuse":
      return { kind: "answer", answer: answerOf(service, () => refuse(effect, target)) };
    case "reset":
    case "silence":
      return { kind: effect.kind };
    case "lose-answer":
      perform();
      return { kind: "reset" };
    case "cut-answer":
      return { kind: "cut", answer: perform() };
    case "delay":
      await clock.sleep(effect.ms, signal);
      return { kind: "answer", answer: perform() };
    default:
      return effect satisfies never;
  }
}

function refuse(
  effect: Extract<FaultEffect, { kind: "refuse" }>,
  target: ReturnType<typeof targetOf>,
): never {
  throw refusal(effect, target);
}

function answerOf(service: KinesisService, perform: () => readonly Uint8Array[]): WireAnswer {
  try {
    return wireAnswer(service, 200, perform());
  } catch (error) {
    const failure =
      error instanceof ServiceError
        ? error
        : new ServiceError("InternalFailure", `a defect of the double: ${error}`);
    const body = Buffer.from(JSON.stringify({ __type: failure.awsName, message: failure.message }));
    return wireAnswer(service, failure.status, [body]);
  }
}

function wireAnswer(service: KinesisService, status: number, chunks: readonly Uint8Array[]): WireAnswer {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "content-length": String(chunks.reduce((sum, chunk) => sum + chunk.length, 0)),
      // Consumers take the service's time from here, so it follows the clock of the model.
      date: new Date(service.model.clock.now()).toUTCString(),
      "x-amzn-requestid": randomUUID(),
    },
    chunks,
  };
}

function parse(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString());
  } catch {
    return undefined; // is refused as a SerializationException
  }
}

/** `Credential=AKIA…/20260101/us-east-1/kinesis/aws4_request` */
function regionOf(authorization: string | undefined): string {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(authorization ?? "")?.[1] ?? "us-east-1";
}
