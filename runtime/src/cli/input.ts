import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { codeOf } from "@pulsar-ts-io/core";
import type { Origin } from "../source-config/assemble.ts";
import { ConfigFileError, UsageError } from "./usage-error.ts";

const reasons: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  ENOENT: ["does not exist", "check the path"],
  EISDIR: ["is a directory", "name the file in it"],
  EACCES: ["may not be read", "give this user the right to read it"],
};

/** Reads what flags point to: files, and standard input once. */
export class CommandInput {
  readonly #stdin: NodeJS.ReadableStream;
  #stdinUser: string | undefined;

  constructor(stdin: NodeJS.ReadableStream) {
    this.#stdin = stdin;
  }

  /** Whether somebody can be asked. */
  get interactive(): boolean {
    return this.#stdinUser === undefined && "isTTY" in this.#stdin && this.#stdin.isTTY === true;
  }

  /** What is typed up to the end of the line; empty at the end of the input. */
  async line(): Promise<string> {
    const lines = createInterface({ input: this.#stdin });
    for await (const line of lines) return line.trim();
    return "";
  }

  /** The value of a flag that holds a text, JSON or YAML; `-` is standard input. */
  async text(flag: string, value: string): Promise<Origin> {
    const content = value === "-" ? await this.#readStdin(flag) : value;
    const mistake = value === "-" ? undefined : mistakeIn(flag, value.trim());
    if (mistake !== undefined) throw mistake;
    return parse(content, flag);
  }

  /** The content of the file that a flag names; `-` is standard input. */
  async file(flag: string, path: string): Promise<Origin> {
    const content = path === "-" ? await this.#readStdin(flag) : await readTextFile(path);
    return parse(content, path === "-" ? flag : path);
  }

  async #readStdin(flag: string): Promise<string> {
    if (this.#stdinUser !== undefined) {
      throw new UsageError(`${this.#stdinUser} and ${flag} both read standard input`, {
        remedy: "give one of them a file",
      });
    }
    this.#stdinUser = flag;
    return text(this.#stdin);
  }
}

/** What is no config text but a sign of what was meant. The value is not shown: it may hold a secret. */
function mistakeIn(flag: string, value: string): UsageError | undefined {
  const file = flag === "--source-config" ? "--source-config-file <file>" : `${flag} "$(cat <file>)"`;
  if (/^@?[\w./\\~-]+\.(ya?ml|json)$/i.test(value) || /^@[\w./\\~-]+$/.test(value)) {
    return new UsageError(`${flag} takes the config itself, not the name of a file`, {
      remedy: `use ${file}`,
    });
  }
  if (/^'[\s\S]*'$/.test(value) && /^'\s*[[{]/.test(value)) {
    return new UsageError(`${flag} stands in single quotes, which cmd.exe passes on`, {
      remedy: `in cmd.exe write "{\\"name\\": \\"value\\"}", or use a file`,
    });
  }
  return undefined;
}

/** The parsers are loaded when there is something to parse: help must be quick. */
async function parse(content: string, origin: string): Promise<Origin> {
  const { parseConfigText } = await import("@pulsar-ts-io/config");
  return { value: parseConfigText(content, origin), origin };
}

/** @throws ConfigFileError (`PIO_CONFIG_FILE`) saying why the file cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const [what, remedy] = reasons[codeOf(cause) ?? ""] ?? [
      "cannot be read",
      "check the path and its file system",
    ];
    throw new ConfigFileError(`the config file ${path} ${what}`, { cause, remedy });
  }
}
