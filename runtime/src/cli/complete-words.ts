import type { Command, Option } from "commander";
import { normaliseArguments } from "./argument-spelling.ts";

/** One thing that a word on the command line may be completed to. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What completes a word: candidates, or what the shell knows better. */
export type Completion =
  | { readonly kind: "candidates"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "files" };

/** Names that only someone who looks can tell. */
export interface CompletionHost {
  /** Names of connectors. */
  connectors(): Promise<readonly Candidate[]>;
}

/** What options and arguments take, by the names of their placeholders. */
const fileNames = /\b(file|path|directory|folder)\b/;
const connectorNames = /\bconnector\b/;

/** Completes the last of `words`, which follow the program's name. What is before it need not be right. */
export async function completeWords(
  program: Command,
  words: readonly string[],
  host: CompletionHost,
): Promise<Completion> {
  const place = locate(program, joined(words));
  const { command, option, prefix, word } = place;
  if (option !== undefined) return await completeValue(option, word, prefix, host);
  if (word.startsWith("-")) return matching(word, optionsOf(command));
  const [argument] = command.registeredArguments;
  if (argument !== undefined && fileNames.test(argument.name())) return { kind: "files" };
  const children = command.createHelp().visibleCommands(command);
  const commands = children.map((child) => ({ value: child.name(), description: child.description() }));
  const named = connectorNames.test(argument?.name() ?? "") ? await host.connectors() : [];
  return matching(word, [...commands, ...named, ...candidatesOf(argument?.argChoices ?? [])]);
}

/** Where the word to complete stands. */
interface Place {
  readonly command: Command;
  /** Whose value the word is. */
  readonly option: Option | undefined;
  /** What the candidates have to begin with besides, as in `--output=`. */
  readonly prefix: string;
  readonly word: string;
}

/** Bash takes `--output=console` for three words. */
function joined(words: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const [index, word] of words.entries()) {
    const before = whole.at(-1) ?? "";
    const continues =
      word === "=" ? before.startsWith("--") : words[index - 1] === "=" && before.endsWith("=");
    if (continues) whole[whole.length - 1] = before + word;
    else whole.push(word);
  }
  return whole;
}

function locate(program: Command, words: readonly string[]): Place {
  const last = words.at(-1) ?? "";
  let command = program;
  let pending: Option | undefined;
  for (const word of words.slice(0, -1)) {
    const [flag = "", ...value] = normaliseArguments([word])[0]?.split("=") ?? [];
    if (pending?.required === true) {
      pending = undefined;
    } else if (flag.startsWith("-")) {
      const option = find(command, flag);
      pending = value.length === 0 && option !== undefined && takesValue(option) ? option : undefined;
    } else {
      pending = undefined;
      command =
        command.commands.find((child) => child.name() === word || child.aliases().includes(word)) ?? command;
    }
  }
  return valuePlace(command, pending, last);
}

function valuePlace(command: Command, pending: Option | undefined, last: string): Place {
  const [flag = "", ...value] = last.split("=");
  if (last.startsWith("--") && value.length > 0) {
    const option = find(command, normaliseArguments([flag])[0] ?? flag);
    return { command, option, prefix: `${flag}=`, word: value.join("=") };
  }
  const isValue = pending !== undefined && (pending.required || !last.startsWith("-"));
  return { command, option: isValue ? pending : undefined, prefix: "", word: last };
}

function find(command: Command, flag: string): Option | undefined {
  return command.options.find(({ long, short }) => flag === long || flag === short);
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

async function completeValue(
  option: Option,
  word: string,
  prefix: string,
  host: CompletionHost,
): Promise<Completion> {
  if (fileNames.test(placeholderOf(option))) return { kind: "files" };
  const candidates = option.long === "--source-type" ? await host.connectors() : choicesOf(option);
  return matching(
    prefix + word,
    candidates.map((one) => ({ ...one, value: prefix + one.value })),
  );
}

function choicesOf(option: Option): readonly Candidate[] {
  return candidatesOf(option.argChoices ?? (placeholderOf(option) === "boolean" ? ["true", "false"] : []));
}

function optionsOf(command: Command): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ value: long, description }],
    );
}

/** What stands between the brackets behind an option's names. */
function placeholderOf({ flags }: Option): string {
  return /[<[](.*)[>\]]$/.exec(flags)?.[1] ?? "";
}

function candidatesOf(values: readonly string[]): readonly Candidate[] {
  return values.map((value) => ({ value, description: "" }));
}

function matching(word: string, candidates: readonly Candidate[]): Completion {
  return { kind: "candidates", candidates: candidates.filter(({ value }) => value.startsWith(word)) };
}
