import type { LogFields, Logger } from "@pulsar-ts-io/core";
import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import { type Logger as Pino, pino, stdTimeFunctions } from "pino";
import type { LogFormat, LogLevel } from "./log-options.ts";
import type { Style } from "./style.ts";
import { formatLogLine } from "./text-format.ts";

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Of the format `pretty`; default: plain. */
  readonly style?: Style | undefined;
  /** Names of fields whose values must never be seen; what a connector's schema calls sensitive belongs here. */
  readonly sensitive?: readonly string[] | undefined;
}

/** Fields that are hidden whoever logs them. */
const alwaysSensitive = ["secret", "secrets", "password", "token", "authParams", "credentials"];

/**
 * A logger that hands whole lines to `write`, one at a time.
 *
 * An error's stack is part of a line only at level `debug`.
 */
export function createLogger(options: LoggerOptions, write: (line: string) => void): Logger {
  const names = [...new Set([...alwaysSensitive, ...(options.sensitive ?? [])])];
  const paths = names.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);
  const withStack = options.level === "debug";
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "msg",
      redact: { paths, censor: "(redacted)" },
      serializers: { err: (error: unknown) => describeError(error, withStack) },
    },
    {
      write:
        options.format === "pretty" ? (line: string) => write(formatLogLine(line, options.style)) : write,
    },
  );
  return new PinoLogger(root, {});
}

/** Pino writes a field that was given twice as two members of one object, which some readers of JSON refuse: here the later one stands. */
class PinoLogger implements Logger {
  readonly #root: Pino;
  readonly #bound: LogFields;
  readonly #pino: Pino;

  constructor(root: Pino, bound: LogFields) {
    this.#root = root;
    this.#bound = bound;
    this.#pino = root.child(bound);
  }

  debug(fields: LogFields, message: string): void {
    this.#with(fields).debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#with(fields).info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#with(fields).warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#with(fields).error(fields, message);
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#root, { ...this.#bound, ...fields });
  }

  #with(fields: LogFields): Pino {
    const bound = Object.entries(this.#bound);
    const others = bound.filter(([name]) => !Object.hasOwn(fields, name));
    return others.length === bound.length ? this.#pino : this.#root.child(Object.fromEntries(others));
  }
}

/** Only what is meant to be read: foreign errors carry requests, headers and credentials in their other fields. */
function describeError(error: unknown, withStack: boolean): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    type: error.name,
    message: error.message,
    code: codeOf(error),
    remedy: remedyOf(error),
    ...(withStack ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause, withStack) }),
  };
}
