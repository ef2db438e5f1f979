import type { Clock, Logger } from "@pulsar-ts-io/core";

const lookEveryMs = 500;

export interface FileChangesOptions {
  /** The file's content, or `undefined` while there is none. */
  readonly read: () => Promise<string | undefined>;
  /** What is known already. */
  readonly from: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Yields each new content of a file once it has stayed the same from one look to the next, half a second later. Ends with its signal's reason.
 *
 * It looks at the content rather than waiting for events: so it does not matter whether the file is written in place, renamed into its
 * place, mounted over a network or swapped behind a chain of links, as Kubernetes does with a ConfigMap.
 */
export async function* fileChanges(options: FileChangesOptions): AsyncGenerator<string, never, undefined> {
  const { read, from, clock, logger, signal } = options;
  let known = from;
  let before: string | undefined = from;
  let missed = 0;
  for (;;) {
    await clock.sleep(lookEveryMs, signal);
    const text = await read();
    missed = text === undefined ? missed + 1 : 0;
    if (missed === 2) logger.warn({}, "the watched config file is away");
    const settled = text === before;
    before = text;
    if (text === undefined || !settled || text === known) continue;
    known = text;
    yield text;
  }
}
