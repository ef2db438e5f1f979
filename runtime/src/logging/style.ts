import { styleText } from "node:util";

/** How a text looks to people: what it is about, not which colour that is. */
export interface Style {
  /** Something went wrong. */
  error(text: string): string;
  /** Something is odd, and heals. */
  warning(text: string): string;
  /** What to do about it. */
  remedy(text: string): string;
  /** Of little interest. */
  faint(text: string): string;
}

/** For files, pipes, and people who want no colours. */
export const plainStyle: Style = {
  error: (text) => text,
  warning: (text) => text,
  remedy: (text) => text,
  faint: (text) => text,
};

/** For terminals. */
export const colouredStyle: Style = {
  error: (text) => paint(["bold", "red"], text),
  warning: (text) => paint(["yellow"], text),
  remedy: (text) => paint(["cyan"], text),
  faint: (text) => paint(["dim"], text),
};

/** Whether to colour was decided: Node shall not decide again, and for another stream. */
function paint(format: ("bold" | "red" | "yellow" | "cyan" | "dim")[], text: string): string {
  return styleText(format, text, { validateStream: false });
}

/**
 * The style for a stream: colours on a terminal, unless `NO_COLOR` is set to anything or the terminal is dumb.
 *
 * @see https://no-color.org
 */
export function styleOf(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  const refused = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return isTerminal && !refused ? colouredStyle : plainStyle;
}
