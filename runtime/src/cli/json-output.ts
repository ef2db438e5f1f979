import type { Writable } from "node:stream";
import { codeOf, toError } from "@pulsar-ts-io/core";
import { adviceOf } from "./report-error.ts";

/** The one document that a command with `--json` prints, also when it fails. */
export class JsonOutput {
  readonly #stdout: Writable;
  #written = false;

  constructor(stdout: Writable) {
    this.#stdout = stdout;
  }

  write(document: unknown): void {
    this.#written = true;
    this.#stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }

  /** Says what went wrong, unless a document has said it.  @param mask takes the secrets out of a text. */
  fail(thrown: unknown, exitCode: number, mask: (text: string) => string): void {
    if (this.#written) return;
    const error = toError(thrown);
    const [message, remedy] = [error.message, adviceOf(error)].map(mask);
    this.write({ error: { code: codeOf(error), message, remedy, exitCode } });
  }
}
