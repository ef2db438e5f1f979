/** Facts about a failure, for logs and `--json` output. Never a secret, never a payload. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ConnectorErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
  /** What the reader can do about it, as one imperative sentence. The CLI prints it on the next line. */
  readonly remedy?: string;
}

/**
 * The base of every error this project throws on purpose.
 *
 * The message says what happened to what, in lower case; what to do about it is the `remedy`.
 * Branch on `code` with {@link hasCode}, never on `instanceof`: a connector may carry its own copy of this package.
 */
export abstract class ConnectorError extends Error {
  /** Stable, public identifier such as `PIO_ILLEGAL_STATE`. Renaming one is a breaking change. */
  abstract readonly code: string;
  /** Whether the same call may succeed later without anyone changing anything. */
  abstract readonly retryable: boolean;
  readonly details: ErrorDetails;
  readonly remedy: string | undefined;

  constructor(message: string, options: ConnectorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.details = options.details ?? {};
    this.remedy = options.remedy;
  }
}

/** Something was called that this object no longer, or not yet, can do: a defect of the caller. */
export class IllegalStateError extends ConnectorError {
  readonly code = "PIO_ILLEGAL_STATE";
  readonly retryable = false;
}

/** Somebody reads the partitions that were to be moved. Stop the source everywhere, then try again. */
export class PartitionsHeldError extends ConnectorError {
  readonly code = "PIO_PARTITIONS_HELD";
  readonly retryable = false;
}

/** The code of `error`, or `undefined` when it carries none. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Whether `error` carries `code`, whichever copy of this package made it. */
export function hasCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}

/** Whether the thrower said that trying again may help. Unknown errors are not retryable. */
export function isRetryable(error: unknown): boolean {
  return typeof error === "object" && error !== null && "retryable" in error && error.retryable === true;
}

/** The remedy that `error` carries, or that the nearest of its causes carries. */
export function remedyOf(error: unknown): string | undefined {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if ("remedy" in current && typeof current.remedy === "string") return current.remedy;
  }
  return undefined;
}

/** `value` as an Error: what was thrown may be anything. */
export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
