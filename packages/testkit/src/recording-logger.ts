import type { LogFields, Logger } from "@pulsar-ts-io/core";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line as it was logged, the fields of the child loggers included. */
export interface LogLine {
  readonly level: LogLevel;
  readonly fields: LogFields;
  readonly message: string;
}

/** Keeps what is logged, by itself and by its children, for assertions. */
export class RecordingLogger implements Logger {
  readonly #lines: LogLine[];
  readonly #fields: LogFields;

  /** @param parent whose lines it shares, with fields of its own; use {@link child}. */
  constructor(parent?: RecordingLogger, fields: LogFields = {}) {
    this.#lines = parent === undefined ? [] : parent.#lines;
    this.#fields = parent === undefined ? fields : { ...parent.#fields, ...fields };
  }

  /** All lines so far, oldest first. */
  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** The messages of a level, or of all. */
  messages(level?: LogLevel): readonly string[] {
    return this.#lines
      .filter((line) => level === undefined || line.level === level)
      .map((line) => line.message);
  }

  /** The lines with that message. */
  linesOf(message: string): readonly LogLine[] {
    return this.#lines.filter((line) => line.message === message);
  }

  debug(fields: LogFields, message: string): void {
    this.#add("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#add("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#add("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#add("error", fields, message);
  }

  child(fields: LogFields): RecordingLogger {
    return new RecordingLogger(this, fields);
  }

  #add(level: LogLevel, fields: LogFields, message: string): void {
    this.#lines.push({ level, fields: { ...this.#fields, ...fields }, message });
  }
}
