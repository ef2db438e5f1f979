/** What every part of the local stack takes. */
export interface StackOptions {
  /** Gets one line for people at each step that takes long, downloads included. Default: says nothing. */
  readonly report?: ((line: string) => void) | undefined;
  /** Ends the start, downloads included, and leaves nothing running. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** Where the settings `PULSAR_TS_IO_CACHE`, `PULSAR_TS_IO_PULSAR_VERSION`, `XDG_CACHE_HOME`, `JAVA_HOME` and `PATH` come from; default the process's environment. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** {@link StackOptions} with nothing left open. */
export interface ResolvedStackOptions {
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
}

export function resolveStackOptions(options: StackOptions): ResolvedStackOptions {
  return {
    report: options.report ?? (() => {}),
    signal: options.signal ?? new AbortController().signal,
    env: options.env ?? process.env,
  };
}
