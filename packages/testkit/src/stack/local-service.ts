import { join } from "node:path";
import { Child } from "./child.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";
import { answers, waitUntilReady } from "./wait-until-ready.ts";
import { openWorkFolder } from "./work-folder.ts";

/** An AWS service on this machine. */
export interface LocalService extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4566`. Any credentials and any region do. */
  readonly endpoint: string;
  readonly pid: number;
  /** Ends it and removes what it wrote. Idempotent. */
  stop(): Promise<void>;
}

export interface ServiceProgram {
  /** For people: "DynamoDB Local". */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Answers with a status below 500 once the service is ready; default `/`. */
  readonly readyPath?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
}

const startMs = 60_000;

/**
 * Runs a server that keeps its state in memory, so that it can be killed; resolves when it answers.
 *
 * @throws StackPartMissingError, StackStartError
 */
export async function startService(
  program: ServiceProgram,
  options: ResolvedStackOptions,
): Promise<LocalService> {
  const { title, command, args, port, readyPath = "/", env = options.env } = program;
  const endpoint = `http://127.0.0.1:${port}`;
  const folder = await openWorkFolder("service");
  let child: Child | undefined;
  const stop = async () => {
    await child?.kill();
    await folder[Symbol.asyncDispose]();
  };
  try {
    child = await Child.start(command, args, {
      logFile: join(folder.path, "service.log"),
      folder: folder.path,
      env,
    });
    const wait = { title, withinMs: startMs, signal: options.signal };
    await waitUntilReady(child, () => answers(endpoint + readyPath), wait);
    return { endpoint, pid: child.pid, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
