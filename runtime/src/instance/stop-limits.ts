// The limits of a stop beside the drain time-out, in one place: a parent process and an orchestrator may kill an instance after their sum only.

/** How long `open` or `read` may take to notice the stop. */
export const stopGraceMs: number = 5_000;
/** How long a source may take to store its position and to close. */
export const closeSourceMs: number = 30_000;
/** How long the publishers may take to close, and then the connection. */
export const closePublishingMs: number = 10_000;

/** The longest stop of an instance with this drain time-out. */
export function longestStopMs(drainTimeoutMs: number): number {
  return stopGraceMs + drainTimeoutMs + closeSourceMs + 2 * closePublishingMs;
}
