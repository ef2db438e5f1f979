import type { CallLine } from "./call-line.ts";
import type { StreamStep } from "./event-answer.ts";
import type { Outcome } from "./wire.ts";

/** Does to the connection what a call ended with. Rejects when the caller hung up. */
export async function sendOutcome(outcome: Outcome, line: CallLine): Promise<void> {
  if (line.frozen || line.signal.aborted) return;
  switch (outcome.kind) {
    case "answer":
      if (outcome.farewell) line.farewell();
      line.open(outcome.answer);
      line.write(outcome.answer.chunks);
      line.end();
      return;
    case "stream":
      if (outcome.farewell) line.farewell();
      line.open(outcome.head);
      return await sendSteps(outcome.steps, line);
    case "cut":
      line.open(outcome.answer);
      line.write(firstHalf(outcome.answer.chunks));
      line.resetAfterwards();
      return;
    case "reset":
      line.reset();
      return;
    case "hang-up":
      line.hangUp();
      return;
    case "silence":
      return;
    case "half-open":
      line.freeze();
      return;
    default:
      outcome satisfies never;
  }
}

async function sendSteps(steps: AsyncIterable<StreamStep>, line: CallLine): Promise<void> {
  for await (const step of steps) {
    if (line.frozen) return;
    switch (step.kind) {
      case "frame":
        if (step.farewell) line.farewell();
        line.write(step.chunks);
        // What the caller does not take, holds us back.
        await line.drained();
        break;
      case "cut":
        line.write(firstHalf(step.chunks));
        line.resetAfterwards();
        return;
      case "reset":
        line.resetAfterwards();
        return;
      case "silence":
        return;
      case "half-open":
        line.freeze();
        return;
      default:
        step satisfies never;
    }
  }
  if (!line.frozen) line.end();
}

export function firstHalf(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const whole = Buffer.concat(chunks);
  return [whole.subarray(0, Math.ceil(whole.length / 2))];
}
