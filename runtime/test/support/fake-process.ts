import { EventEmitter, once } from "node:events";
import { PassThrough, Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type RootProcess, runCli } from "../../src/cli/cli.ts";

/** The first command of a file compiles all that it loads: seconds on a busy machine. */
export const loadingTime = { timeout: 30_000 };

/** The directory of a connector that was made for these tests. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/** A stream that keeps what was written to it. */
export class Screen extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(isTTY = false, columns = 100) {
    super();
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.text += Buffer.from(chunk).toString("utf8");
    this.emit("shown");
    done();
  }
}

export interface FakeProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
}

/** A process in which the CLI runs without there being one: arguments in, outputs and exit code out. */
export class FakeProcess extends EventEmitter implements RootProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** The code of the first `exit`; whoever awaits it learns when that was. */
  readonly exited: Promise<number>;
  #exit: (code: number) => void = () => undefined;

  constructor(args: readonly string[], options: FakeProcessOptions = {}) {
    super();
    this.argv = ["node", "pulsar-ts-io", ...args];
    this.env = options.env ?? {};
    const stdin = options.stdin === undefined ? new PassThrough().end() : Readable.from([options.stdin]);
    this.stdin = Object.assign(stdin, { isTTY: options.terminal === true });
    this.stdout = new Screen(options.terminal);
    this.stderr = new Screen(options.terminal);
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  /** Waits until `text` is on one of the two outputs. @throws when the command ends before that. */
  async shows(text: string): Promise<void> {
    let ended = false;
    const end = this.exited.then(() => {
      ended = true;
    });
    while (!`${this.stdout.text}\n${this.stderr.text}`.includes(text)) {
      if (ended) throw new Error(`ended without showing "${text}": ${this.stdout.text}${this.stderr.text}`);
      await Promise.race([end, once(this.stdout, "shown"), once(this.stderr, "shown")]);
    }
  }

  /** Unlike the real one it returns: what runs after it shows in the test. */
  exit(code: number): never {
    this.#exit(code);
    return undefined as never; // the real process ends here
  }
}

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line to its end. */
export async function cli(args: readonly string[], options: FakeProcessOptions = {}): Promise<CliOutcome> {
  const proc = new FakeProcess(args, options);
  await runCli(proc, []);
  const code = await proc.exited;
  return { code, stdout: proc.stdout.text, stderr: proc.stderr.text };
}
