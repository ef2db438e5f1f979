import {
  type CheckResult,
  codeOf,
  isRetryable,
  remedyOf,
  type ToolContext,
  toError,
} from "@pulsar-ts-io/core";
import type { AwsClients } from "../aws-clients.ts";
import { type AwsCall, readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import { retryBriefly } from "../retry.ts";

/** For all calls together: a service that is out of reach shall not be waited for once a call. */
const retryMs = 3_000;

/** What became of one call. */
export type Attempt = Extract<CheckResult, { kind: "attempt" }>;

/** One call to be tried. */
export interface Trial<T> {
  readonly service: AwsCall["service"];
  readonly operation: string;
  readonly send: () => Promise<T>;
  /** Answers that only someone gets who may call the operation, with what they mean. */
  readonly harmless?: Readonly<Record<string, string>>;
  /** The source goes on without this call; what it then lacks. */
  readonly lack?: string | undefined;
  /** What is called, when it is neither the stream nor the lease table. */
  readonly table?: string;
}

/** The names that calls go to. */
interface TrialNames {
  readonly streamName: string;
  /** Names the lease table. */
  readonly applicationName: string;
}

/** Makes calls to find out whether they are allowed. */
export class AccessTrials {
  readonly #clients: AwsClients;
  readonly #context: ToolContext;
  readonly #names: TrialNames;
  readonly #retryUntilMs: number;
  /** Services that did not answer: one of their silences is waited for, not one for each call. */
  readonly #silent = new Set<AwsCall["service"]>();

  constructor(clients: AwsClients, context: ToolContext, names: TrialNames) {
    this.#clients = clients;
    this.#context = context;
    this.#names = names;
    this.#retryUntilMs = context.clock.monotonic() + retryMs;
  }

  /** Makes the call, again for a while if its failure may pass. A failure is told, not thrown. */
  async try<T>(trial: Trial<T>): Promise<{ readonly attempt: Attempt; readonly answer: T | undefined }> {
    const { clock, signal } = this.#context;
    const name = `${trial.service.toLowerCase()}:${trial.operation}`;
    if (this.#silent.has(trial.service)) {
      return {
        attempt: notTried(name, `${trial.service} did not answer the calls before`),
        answer: undefined,
      };
    }
    const forMs = this.#retryUntilMs - clock.monotonic();
    try {
      const answer = await retryBriefly({ clock, forMs, signal }, () => this.#translated(trial));
      return { attempt: { kind: "attempt", name, outcome: "ok" }, answer };
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error) === "PIO_AWS_UNREACHABLE") this.#silent.add(trial.service);
      return { attempt: attemptOf(name, trial, error), answer: undefined };
    }
  }

  async #translated<T>(trial: Trial<T>): Promise<T> {
    try {
      return await trial.send();
    } catch (error) {
      this.#context.signal.throwIfAborted();
      const failure = readAwsFailure(error);
      if (Object.hasOwn(trial.harmless ?? {}, failure.name) || codeOf(error)?.startsWith("PIO_") === true) {
        throw error;
      }
      const { service, operation } = trial;
      const client = service === "Kinesis" ? this.#clients.kinesis : this.#clients.dynamo;
      throw translateAwsFailure(failure, {
        service,
        operation,
        resource: this.#resourceOf(trial),
        ...(await client.describe(failure)),
      });
    }
  }

  #resourceOf({ service, table }: Trial<unknown>): string {
    const { streamName, applicationName } = this.#names;
    if (service === "Kinesis") return `stream "${streamName}"`;
    return table === undefined ? `lease table "${applicationName}"` : `table "${table}"`;
  }
}

function attemptOf(name: string, trial: Trial<unknown>, error: unknown): Attempt {
  const harmless = trial.harmless?.[toError(error).name];
  if (harmless !== undefined) return { kind: "attempt", name, outcome: "ok", detail: harmless };
  const why = toError(error).message;
  const limited =
    trial.lack !== undefined && (isRetryable(error) || codeOf(error) === "PIO_AWS_ACCESS_DENIED");
  return {
    kind: "attempt",
    name,
    outcome: limited ? "limited" : "failed",
    detail: limited ? `${why}; ${trial.lack}` : why,
    remedy: remedyOf(error),
  };
}

/** A call that is not made. */
export function notTried(name: string, detail: string): Attempt {
  return { kind: "attempt", name, outcome: "not-tried", detail };
}
