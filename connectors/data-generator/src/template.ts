import { DataGeneratorConfigError } from "./errors.ts";
import type { RecordRandom } from "./record-random.ts";

/** What a placeholder may speak of. */
export interface TemplateValues {
  readonly partition: number;
  readonly sequence: number;
  readonly key: string | undefined;
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
  readonly random: RecordRandom;
}

type Part = (values: TemplateValues) => string;

interface Placeholder {
  /** How it is written, for errors. */
  readonly form: string;
  /** @returns `undefined` when the arguments are not what it needs. */
  compile(args: readonly string[]): Part | undefined;
}

/** A text with placeholders, ready to be filled in. */
export class Template {
  readonly #parts: readonly Part[];

  /** @throws DataGeneratorConfigError (`PIO_DATA_GENERATOR_CONFIG`) naming a placeholder that is none. */
  constructor(text: string) {
    this.#parts = text
      .split(/(\{\{[^{}]*\}\})/)
      .map((piece, index) => (index % 2 === 1 ? compile(piece) : () => piece));
  }

  fill(values: TemplateValues): string {
    let text = "";
    for (const part of this.#parts) text += part(values);
    return text;
  }
}

const placeholders: ReadonlyMap<string, Placeholder> = new Map([
  ["sequence", plain("sequence", ({ sequence }) => String(sequence))],
  ["partition", plain("partition", ({ partition }) => String(partition))],
  ["key", plain("key", ({ key }) => key ?? "")],
  ["time", plain("time", ({ epochMs }) => new Date(epochMs).toISOString())],
  ["timestamp", plain("timestamp", ({ epochMs }) => String(epochMs))],
  ["uuid", plain("uuid", ({ random }) => uuid(random))],
  ["boolean", plain("boolean", ({ random }) => String(random.bits() % 2 === 1))],
  [
    "integer",
    range(
      "integer 1 6",
      /^-?\d{1,15}$/,
      (from, to) =>
        ({ random }) =>
          String(random.integer(from, to)),
    ),
  ],
  [
    "number",
    range(
      "number 0 100",
      /^-?\d{1,12}(\.\d{1,6})?$/,
      (from, to) =>
        ({ random }) =>
          (from + random.fraction() * (to - from)).toFixed(2),
    ),
  ],
  ["text", { form: "{{text 20}}", compile: compileText }],
  ["one", { form: "{{one red green}}", compile: compileOne }],
]);

function compile(piece: string): Part {
  const [name = "", ...args] = piece.slice(2, -2).trim().split(/\s+/);
  const placeholder = placeholders.get(name);
  const part = placeholder?.compile(args);
  if (part !== undefined) return part;
  const known = [...placeholders.values()].map(({ form }) => form).join(", ");
  throw new DataGeneratorConfigError(`template: ${piece} is no placeholder`, {
    remedy: placeholder === undefined ? `write one of ${known}` : `write it as ${placeholder.form}`,
  });
}

function plain(name: string, part: Part): Placeholder {
  return { form: `{{${name}}}`, compile: (args) => (args.length === 0 ? part : undefined) };
}

function range(example: string, number: RegExp, make: (from: number, to: number) => Part): Placeholder {
  return {
    form: `{{${example}}}`,
    compile(args) {
      if (args.length !== 2 || !args.every((arg) => number.test(arg))) return undefined;
      const [from = 0, to = 0] = args.map(Number);
      return from <= to ? make(from, to) : undefined;
    },
  };
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

function compileText(args: readonly string[]): Part | undefined {
  const [length = ""] = args;
  if (args.length !== 1 || !/^\d{1,7}$/.test(length)) return undefined;
  return ({ random }) => {
    let text = "";
    for (let left = Number(length); left > 0; left -= 1)
      text += letters[random.integer(0, letters.length - 1)];
    return text;
  };
}

function compileOne(words: readonly string[]): Part | undefined {
  if (words.length === 0) return undefined;
  return ({ random }) => words[random.integer(0, words.length - 1)] ?? "";
}

/** Version 4, as RFC 9562 lays it out. */
function uuid(random: RecordRandom): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
