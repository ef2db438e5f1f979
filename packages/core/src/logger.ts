/** Values that go with a log line; an error goes under `err`. Never a payload or a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Structured logging: fields first, then a fixed sentence in lower case that can be searched for.
 *
 * `info` is a change of state an operator may want to see, `warn` heals by itself, `error` needs someone to act.
 * Nothing above `debug` for each record or page.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
