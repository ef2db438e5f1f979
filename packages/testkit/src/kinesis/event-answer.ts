import type { Clock } from "@pulsar-ts-io/core";
import { corrupted, eventFrame } from "./event-frame.ts";
import { type CallTarget, eventOperation, type FaultEffect, type KinesisFaults, refusal } from "./faults.ts";
import { ServiceError } from "./service-error.ts";
import type { Subscription } from "./subscription.ts";

/** What the transport shall do next with an answer that comes in pieces. When there are no more it ends it in good order. */
export type StreamStep =
  /** With `farewell`, tell the caller to use the connection for nothing else. */
  | { readonly kind: "frame"; readonly chunks: readonly Uint8Array[]; readonly farewell?: true }
  /** Send half of it, then reset the connection. */
  | { readonly kind: "cut"; readonly chunks: readonly Uint8Array[] }
  /** Reset the connection. */
  | { readonly kind: "reset" }
  /** Leave the connection open and say nothing more. */
  | { readonly kind: "silence" }
  /** The same for everything on the connection. */
  | { readonly kind: "half-open" };

export interface EventFaults {
  readonly faults: KinesisFaults;
  readonly clock: Clock;
  /** Of the call that subscribed. */
  readonly target: CallTarget;
}

/** The events of a subscription as an event stream, faults included. Rejects only with the signal's reason. */
export async function* answerEvents(
  subscription: Subscription,
  trouble: EventFaults,
  signal: AbortSignal,
): AsyncGenerator<StreamStep, void, undefined> {
  yield { kind: "frame", chunks: event("initial-response", [Buffer.from("{}")]) };
  try {
    for await (const payload of subscription.events(signal)) {
      const step = await eventStep(event(eventOperation, payload), trouble, signal);
      if (step === undefined) return;
      yield step;
      if (step.kind !== "frame") return;
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    yield { kind: "frame", chunks: exception(error) };
  }
}

/** @returns `undefined` to end without the event. @throws ServiceError that the event is replaced by. */
async function eventStep(
  chunks: readonly Uint8Array[],
  trouble: EventFaults,
  signal: AbortSignal,
): Promise<StreamStep | undefined> {
  const target = { ...trouble.target, operation: eventOperation };
  const effect: FaultEffect | undefined = trouble.faults.strike(target);
  switch (effect?.kind) {
    case undefined:
      return { kind: "frame", chunks };
    case "refuse":
      throw refusal(effect, target);
    case "reset":
    case "lose-answer":
      return { kind: "reset" };
    case "silence":
    case "half-open":
      return { kind: effect.kind };
    case "corrupt":
      return { kind: "frame", chunks: corrupted(chunks) };
    case "hang-up":
      return undefined;
    case "goaway":
      return { kind: "frame", chunks, farewell: true };
    case "cut-answer":
      return { kind: "cut", chunks };
    case "delay":
      await trouble.clock.sleep(effect.ms, signal);
      return { kind: "frame", chunks };
    default:
      return effect satisfies never;
  }
}

function event(type: string, payload: readonly Uint8Array[]): readonly Uint8Array[] {
  const headers = {
    ":message-type": "event",
    ":event-type": type,
    ":content-type": "application/json",
  };
  return eventFrame(headers, payload);
}

function exception(error: ServiceError): readonly Uint8Array[] {
  const headers = {
    ":message-type": "exception",
    ":exception-type": error.awsName,
    ":content-type": "application/json",
  };
  return eventFrame(headers, [Buffer.from(JSON.stringify({ message: error.message }))]);
}
