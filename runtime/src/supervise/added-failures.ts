import { toError } from "@pulsar-ts-io/core";
import { keptErrors, type RecentErrors } from "../instance/recent-errors.ts";
import type { AttemptView } from "./attempt.ts";

/**
 * `view` with failures that the instance itself could not count, because whoever watches it ended it, or its process died.
 *
 * They count as system exceptions, as Java counts what ends an instance.
 */
export function withFailures(view: AttemptView, failures: RecentErrors): AttemptView {
  if (failures.count === 0) return view;
  const { counts, errors } = view;
  return {
    ...view,
    counts: { ...counts, systemExceptions: counts.systemExceptions + failures.count },
    errors: { ...errors, system: [...errors.system, ...failures.last].slice(-keptErrors) },
  };
}

/** The part of a failed attempt's error that says what happened. */
export function causeOf(failure: unknown): Error {
  const error = toError(failure);
  return error.cause instanceof Error ? error.cause : error;
}
