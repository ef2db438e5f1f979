import { itemPath, memberPath } from "./config-path.ts";
import type { ConfigProblem } from "./problem.ts";

const maxDepth = 32;
const maxValues = 10_000;
const maxCharacters = 1_048_576;

/** Keys that would reach an object's prototype in careless code further on. */
const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

interface Budget {
  values: number;
  characters: number;
}

/**
 * The first reason not to look into `value` at all: too deep, too large, or made to pollute prototypes.
 *
 * Whatever passes can be walked recursively and copied key by key.
 */
export function outOfBounds(value: unknown): ConfigProblem | undefined {
  return check(value, "", 0, { values: maxValues, characters: maxCharacters });
}

function check(value: unknown, path: string, depth: number, budget: Budget): ConfigProblem | undefined {
  budget.values -= 1;
  if (budget.values < 0) return { path: "", message: `more than ${maxValues} values` };
  if (depth > maxDepth) return { path: "", message: `nested deeper than ${maxDepth} levels` };
  if (typeof value === "string") return charge(value, budget);
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) ? checkList(value, path, depth, budget) : checkMap(value, path, depth, budget);
}

function checkList(
  list: readonly unknown[],
  path: string,
  depth: number,
  budget: Budget,
): ConfigProblem | undefined {
  for (const [index, item] of list.entries()) {
    const problem = check(item, itemPath(path, index), depth + 1, budget);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function checkMap(map: object, path: string, depth: number, budget: Budget): ConfigProblem | undefined {
  for (const [key, item] of Object.entries(map)) {
    if (forbiddenKeys.has(key))
      return { path, message: `a key is named ${JSON.stringify(key)}`, remedy: "rename it" };
    const problem = charge(key, budget) ?? check(item, memberPath(path, key), depth + 1, budget);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function charge(text: string, budget: Budget): ConfigProblem | undefined {
  budget.characters -= text.length;
  return budget.characters < 0 ? { path: "", message: `more than ${maxCharacters} characters` } : undefined;
}
