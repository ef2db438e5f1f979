import { type ConfigProblem, InvalidConfigError } from "@pulsar-ts-io/config";

/** Gathers everything that is wrong or odd in a SourceConfig, so that it is reported at once. */
export class ProblemList {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];

  refuse(path: string, message: string, remedy: string, value?: unknown): void {
    this.problems.push(problem(path, message, remedy, value));
  }

  warn(path: string, message: string, remedy?: string): void {
    this.warnings.push(problem(path, message, remedy, undefined));
  }

  /** @throws InvalidConfigError (`PIO_INVALID_CONFIG`) with all problems, if there is one. */
  throwIfAny(): void {
    if (this.problems.length > 0) throw new InvalidConfigError(this.problems);
  }
}

function problem(path: string, message: string, remedy: string | undefined, value: unknown): ConfigProblem {
  return {
    path,
    message,
    ...(value === undefined ? {} : { value: shorten(value) }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/** None of the fields this is used for may hold a secret. */
function shorten(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
