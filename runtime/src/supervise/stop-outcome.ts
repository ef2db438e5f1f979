/**
 * The part of a failure that counts once a stop was asked for: what could not be drained or stored. An instance that failed otherwise
 * would have been started again; the stop takes the place of that start.
 *
 * @param opened whether the source of the instance was open: before that there is nothing to drain or to store.
 * @returns `undefined` when nothing counts. A failure that is none of an instance counts: it is a defect.
 */
export function undoneByStop(error: unknown, opened: boolean): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  if (!("stage" in error)) return opened ? error : undefined;
  return "undone" in error && error.undone instanceof Error ? error.undone : undefined;
}
