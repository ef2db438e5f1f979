import { ConnectorError } from "@pulsar-ts-io/core";

/** A line is longer than `maxLineBytes`: it is not cut, for nobody would notice. */
export class LineTooLongError extends ConnectorError {
  readonly code = "FILE_TAIL_LINE_TOO_LONG";
  readonly retryable = false;
}

/** The directory cannot be read, or the pattern is none. */
export class FileTailSettingError extends ConnectorError {
  readonly code = "FILE_TAIL_SETTING";
  readonly retryable = false;
}
