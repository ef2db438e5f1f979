import { Writable } from "node:stream";
import { plainStyle, type Style } from "../logging/style.ts";
import { secretMask } from "../observe/secret-mask.ts";

/** A standard stream, as much of it as is needed. */
export interface TerminalStream extends Writable {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** For a stream that is no terminal, or a terminal that does not tell: some say 0. */
const usualColumns = 100;

/** How many characters fit on a line of `stream`. */
export function columnsOf(stream: Pick<TerminalStream, "columns">): number {
  const { columns = 0 } = stream;
  return columns > 0 ? columns : usualColumns;
}

const eraseLine = "\r\u001b[2K";

/**
 * Standard error with one live line at its end, redrawn in place.
 *
 * Whatever else is written to the same screen goes through here, so that it never lands in the middle of that line.
 */
export class Terminal {
  readonly #stdout: TerminalStream;
  readonly #stderr: TerminalStream;
  /** How texts look on standard error. */
  readonly style: Style;
  readonly #secrets = new Set<string>();
  #mask: (text: string) => string = (text) => text;
  #live = "";

  constructor(stdout: TerminalStream, stderr: TerminalStream, style: Style = plainStyle) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.style = style;
  }

  /** Whether somebody watches standard error, so that a live line makes sense. */
  get interactive(): boolean {
    return this.#stderr.isTTY === true;
  }

  /** From now on nothing that is written here shows one of `secrets`. */
  hide(secrets: Iterable<string>): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#mask = secretMask(this.#secrets);
  }

  /** What is to be hidden so far. */
  get hidden(): readonly string[] {
    return [...this.#secrets];
  }

  /** `text` without what is to be hidden. */
  masked(text: string): string {
    return this.#mask(text);
  }

  /** Writes `text`, whole lines with their newline, above the live line. */
  write(text: string): void {
    const shown = this.masked(text);
    this.#stderr.write(this.#live === "" ? shown : `${eraseLine}${shown}${this.#live}`);
  }

  /** Replaces the live line; an empty one takes it away. Nothing happens where nobody watches. */
  live(text: string): void {
    if (!this.interactive) return;
    const drawn = this.#live !== "" || text !== "";
    this.#live = text.slice(0, columnsOf(this.#stderr) - 1);
    if (drawn) this.#stderr.write(`${eraseLine}${this.#live}`);
  }

  /** Where data goes: standard output, with the live line out of the way when both are on one screen. */
  dataStream(): Writable {
    if (!(this.interactive && this.#stdout.isTTY === true)) return this.#stdout;
    return new Writable({
      write: (chunk: Uint8Array | string, _encoding, done) => {
        if (this.#live !== "") this.#stderr.write(eraseLine);
        this.#stdout.write(chunk, (error) => {
          if (this.#live !== "") this.#stderr.write(this.#live);
          done(error);
        });
      },
    });
  }
}
