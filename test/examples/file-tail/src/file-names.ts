import { readdir } from "node:fs/promises";
import { FileTailSettingError } from "./errors.ts";
import type { FileTailSourceOptions } from "./generated/options.ts";

/** @throws FileTailSettingError (`FILE_TAIL_SETTING`) when the pattern is none. */
export function patternOf({ pattern }: FileTailSourceOptions): RegExp {
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new FileTailSettingError(`pattern is no regular expression: ${pattern}`, {
      cause,
      remedy: "write it as JavaScript does, such as \\.log$",
    });
  }
}

/** @throws FileTailSettingError (`FILE_TAIL_SETTING`) when the directory cannot be read. */
export async function namesIn(directory: string, pattern: RegExp): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile() && pattern.test(entry.name)).map(({ name }) => name);
  } catch (cause) {
    throw new FileTailSettingError(`the directory ${directory} cannot be read`, {
      cause,
      remedy: "create it, or let this user read it",
    });
  }
}
