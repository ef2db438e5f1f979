import { AsyncLocalStorage } from "node:async_hooks";
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { readFileSync } from "node:fs";
import type { ClientRequest } from "node:http";
import process from "node:process";

/** The processes and requests that a piece of work has started. */
class Started {
  readonly #children = new Set<ChildProcess>();
  readonly #requests = new Set<ClientRequest>();
  readonly #onUnanswered: (host: string) => void;
  #ended = false;

  constructor(onUnanswered: (host: string) => void) {
    this.#onUnanswered = onUnanswered;
  }

  addChild(child: ChildProcess): void {
    if (this.#ended) child.once("spawn", () => endProcess(child));
    else this.#children.add(child);
  }

  addRequest(request: ClientRequest): void {
    let answered = false;
    request.prependOnceListener("response", (response) => {
      const { statusCode = 0 } = response;
      response.once("end", () => {
        answered = statusCode < 500 && statusCode !== 429;
      });
    });
    request.once("close", () => {
      this.#requests.delete(request);
      if (!answered) this.#onUnanswered(request.host);
    });
    this.#requests.add(request);
    if (this.#ended) endRequest(request);
  }

  /** Ends them, and those that the work still starts. */
  end(): void {
    this.#ended = true;
    for (const child of this.#children) endProcess(child);
    this.#children.clear();
    for (const request of this.#requests) endRequest(request);
  }
}

const current = new AsyncLocalStorage<Started>();
let subscribed = false;
/** Pieces of work under way. */
let active = 0;

/**
 * Runs `work` and keeps the child processes and the HTTP requests that it starts.
 *
 * The SDK starts the command of a `credential_process` without a time-out and without a way to end it. A command that never ends
 * would keep this process alive, too. It sends some requests, those to a container's agent and to the instance metadata service,
 * by means of its own, which cannot be ended either.
 *
 * @param onUnanswered called for each request that gets no answer, or 429 or 5xx: the SDK may hide it.
 * @returns the work, and what ends all of it that still runs.
 */
export function withStarted<T>(
  work: () => Promise<T>,
  onUnanswered: (host: string) => void = () => {},
): { readonly result: Promise<T>; readonly endAll: () => void } {
  if (!subscribed) {
    subscribe("child_process", noteChild);
    subscribe("http.client.request.start", noteRequest);
  }
  subscribed = true;
  const started = new Started(onUnanswered);
  active += 1;
  const release = () => {
    active -= 1;
    // As long as a storage is in use, every promise of the process costs more.
    if (active === 0) current.disable();
  };
  return { result: current.run(started, work).finally(release), endAll: () => started.end() };
}

function noteChild(message: unknown): void {
  const started = current.getStore();
  if (started === undefined || typeof message !== "object" || message === null) return;
  // Node documents `process` as the ChildProcess that was created.
  if ("process" in message) started.addChild(message.process as ChildProcess);
}

function noteRequest(message: unknown): void {
  const started = current.getStore();
  if (started === undefined || typeof message !== "object" || message === null) return;
  // Node documents `request` as the ClientRequest that is sent.
  if ("request" in message) started.addRequest(message.request as ClientRequest);
}

function endRequest(request: ClientRequest): void {
  request.destroy(new Error("the request was abandoned"));
}

/** The SDK starts a shell, which starts the command: both end, and their pipes no longer keep this process alive. */
function endProcess(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    for (const pid of [...descendantsOf(child.pid), child.pid]) kill(pid);
  }
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
}

/** On Linux. Elsewhere the command outlives its shell. */
function descendantsOf(pid: number): readonly number[] {
  let children: readonly number[] = [];
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    children = text.split(" ").filter(Boolean).map(Number);
  } catch {
    // There is no such file system, or the process has ended.
  }
  return children.flatMap((child) => [...descendantsOf(child), child]);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
