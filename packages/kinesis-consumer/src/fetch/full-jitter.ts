/**
 * A pause drawn evenly from 0 to `initialMs` doubled with each earlier failure, and never above `maxMs`.
 *
 * @param failures earlier ones in a row, 0 or more.
 */
export function fullJitter(initialMs: number, maxMs: number, failures: number, random: () => number): number {
  return Math.min(maxMs, initialMs * 2 ** Math.min(failures, 20)) * random();
}
