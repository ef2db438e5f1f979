/** The parts of `process` that its end needs. */
export interface EndingProcess {
  exit(code: number): never;
  /** Ends with the code, and waits for nothing. Absent: {@link exit} does. */
  readonly endNow?: ((code: number) => void) | undefined;
  /** The names of what keeps the process alive. */
  activeResources(): readonly string[];
}

/** Requests that a thread of Node's pool carries out: reads of files, and questions to the resolver. */
const pooled = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/;
const lookEveryMs = 20;
const looks = 10;

/**
 * Ends the process. `process.exit` waits for each thread of the pool, also for one that reads a pipe nobody writes to, or asks a name
 * server that does not answer. Such a request gets 200 ms to end; then the process ends without it.
 */
export async function endProcess(proc: EndingProcess, code: number): Promise<void> {
  for (let look = 0; look < looks && isPoolBusy(proc); look += 1) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  if (isPoolBusy(proc)) proc.endNow?.(code);
  proc.exit(code);
}

function isPoolBusy(proc: EndingProcess): boolean {
  return proc.activeResources().some((resource) => pooled.test(resource));
}
