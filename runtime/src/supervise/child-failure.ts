import { ConnectorError, codeOf, isRetryable, remedyOf, toError } from "@pulsar-ts-io/core";
import { InstanceFailedError, type Stage } from "../instance/errors.ts";

/** A failure as it travels between processes. */
export interface ChildFailure {
  readonly message: string;
  readonly code: string | undefined;
  readonly remedy: string | undefined;
  /** Whether the same start may succeed later. */
  readonly retryable: boolean;
  /** `undefined`: it is none of an instance's. */
  readonly stage: Stage | undefined;
  readonly stack: string | undefined;
  /** What kept its instance from draining or closing: `"this"` failure itself, or another one. */
  readonly undone?: "this" | ChildFailure | undefined;
}

/** What another process failed with. */
class RemoteError extends ConnectorError {
  readonly code: string;
  readonly retryable: boolean;

  constructor({ message, code = "PIO_INTERNAL", remedy, retryable, stack }: ChildFailure) {
    super(message, remedy === undefined ? {} : { remedy });
    this.code = code;
    this.retryable = retryable;
    if (stack !== undefined) this.stack = stack;
  }
}

/** What another process failed with in a stage of its instance. Its message names the stage already. */
class RemoteInstanceError extends RemoteError {
  readonly stage: Stage;
  /** As that of an InstanceFailedError. */
  readonly undone: Error | undefined;

  constructor(failure: ChildFailure, stage: Stage) {
    super(failure);
    this.stage = stage;
    const { undone } = failure;
    this.undone = undone === "this" ? this : undone === undefined ? undefined : unpackFailure(undone);
  }
}

/** The process of an instance ended without a word. */
class InstanceDiedError extends ConnectorError {
  readonly code = "PIO_INSTANCE_DIED";
  readonly retryable = true;
}

export function packFailure(thrown: unknown): ChildFailure {
  const error = toError(thrown);
  const { message, stack } = error;
  const retryable = isRetryable(error) || isRetryable(error.cause);
  const failure = { message, code: codeOf(error), remedy: remedyOf(error), retryable, stack };
  if (!(error instanceof InstanceFailedError)) return { ...failure, stage: undefined };
  const { stage, undone } = error;
  if (undone === undefined) return { ...failure, stage };
  return { ...failure, stage, undone: undone === error ? "this" : packFailure(undone) };
}

export function unpackFailure(failure: ChildFailure): Error {
  return failure.stage === undefined
    ? new RemoteError(failure)
    : new RemoteInstanceError(failure, failure.stage);
}

/** Why a process ended that said nothing, in words. */
export function describeDeath(code: number | null, signal: NodeJS.Signals | null): InstanceFailedError {
  const memory = "give it more memory, or let it buffer less; the system's log tells what was killed";
  const [how, remedy] =
    signal === "SIGKILL"
      ? ["was killed (SIGKILL), as a system does that runs out of memory", memory]
      : signal === "SIGABRT" || code === 134
        ? ["ran out of heap memory, or was aborted (SIGABRT)", memory]
        : [
            `ended ${signal === null ? `with code ${code ?? "unknown"}` : `by ${signal}`} though nobody told it to`,
            "read the lines it logged before its end",
          ];
  return new InstanceFailedError("run", new InstanceDiedError(`the instance's process ${how}`, { remedy }));
}
