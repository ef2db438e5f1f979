import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { StreamStep } from "./event-answer.ts";
import type { Outcome, WireAnswer, WireHead } from "./wire.ts";

/** Does to the connection what a call ended with. Rejects when the caller hung up, which aborts the signal. */
export async function sendOutcome(
  outcome: Outcome,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  switch (outcome.kind) {
    case "answer":
      writeAnswer(outcome.answer, response);
      response.end();
      return;
    case "stream":
      return await sendSteps(outcome.head, outcome.steps, response, signal);
    case "cut":
      writeAnswer({ ...outcome.answer, chunks: firstHalf(outcome.answer.chunks) }, response);
      resetAfterwards(response);
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "silence":
      return;
    default:
      outcome satisfies never;
  }
}

async function sendSteps(
  head: WireHead,
  steps: AsyncIterable<StreamStep>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(head.status, head.headers);
  for await (const step of steps) {
    switch (step.kind) {
      case "frame":
        write(step.chunks, response);
        // What the caller does not take, holds us back.
        if (response.writableNeedDrain) await once(response, "drain", { signal });
        break;
      case "cut":
        write(firstHalf(step.chunks), response);
        resetAfterwards(response);
        return;
      case "reset":
        resetAfterwards(response);
        return;
      case "silence":
        return;
      default:
        step satisfies never;
    }
  }
  response.end();
}

function writeAnswer(answer: WireAnswer, response: ServerResponse): void {
  response.writeHead(answer.status, answer.headers);
  write(answer.chunks, response);
}

/** One system call for all pieces: they are gathered, not copied together. */
function write(chunks: readonly Uint8Array[], response: ServerResponse): void {
  response.cork();
  for (const chunk of chunks) response.write(chunk);
  response.uncork();
}

/** After what was written has left: a reset at once would throw it away. */
function resetAfterwards(response: ServerResponse): void {
  response.write("", () => response.socket?.resetAndDestroy());
}

export function firstHalf(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const whole = Buffer.concat(chunks);
  return [whole.subarray(0, Math.ceil(whole.length / 2))];
}
