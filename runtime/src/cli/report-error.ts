import { codeOf, remedyOf, toError } from "@pulsar-ts-io/core";
import { plainStyle, type Style } from "../logging/style.ts";
import { optionOfError } from "./option-of-error.ts";

/** An error as the CLI shows it: what happened and its code, what to do about it, and stacks only if asked for. */
export function formatError(thrown: unknown, withStack: boolean, style: Style = plainStyle): string {
  const error = toError(thrown);
  const [first = "", ...rest] = error.message.split("\n");
  const code = codeOf(error);
  const head = `${style.error("error:")} ${first}${code === undefined ? "" : ` [${code}]`}`;
  return `${[head, ...rest, `${style.remedy("remedy:")} ${adviceOf(error)}`, ...(withStack ? stacks(error) : [])].join("\n")}\n`;
}

/** What to do about `error`, and with which options. */
export function adviceOf(error: Error): string {
  const remedy = remedyOf(error) ?? "run it again with --log-level debug to see where this comes from";
  const option = optionOfError(error, remedy);
  return option === undefined ? remedy : `${remedy} (${option})`;
}

/** The stacks of an error and its causes, and nothing else of them: foreign errors carry requests and credentials. */
function stacks(error: Error): readonly string[] {
  const lines: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && lines.length < 10; cause = cause.cause) {
    lines.push(cause.stack ?? cause.message);
  }
  return lines;
}
