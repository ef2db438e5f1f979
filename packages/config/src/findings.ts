import { isWithin } from "./config-path.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ResolvedConfig } from "./resolve-references.ts";

/** What replaces a value that must not be shown. */
const redacted = "(redacted)";
const longestShown = 80;

/** Collects the problems of one validation, one for each path, and knows how each value may be shown. */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly #references: ReadonlyMap<string, string>;
  readonly #secretNames: readonly string[];
  readonly #paths = new Set<string>();
  readonly #meant = new Set<string>();

  /** @param secretNames names of sensitive settings: a text that contains one may hold its value, too. */
  constructor(references: ResolvedConfig["references"], secretNames: readonly string[]) {
    this.#references = references;
    this.#secretNames = secretNames;
  }

  /** The first problem of a path counts: those after it mostly follow from it. */
  add(problem: ConfigProblem): void {
    if (problem.path !== "" && this.#paths.has(problem.path)) return;
    this.#paths.add(problem.path);
    this.problems.push(problem);
  }

  /** A problem that stands beside others of its path, such as the second reference of one text that leads nowhere. */
  addAnother(problem: ConfigProblem): void {
    this.#paths.add(problem.path);
    this.problems.push(problem);
  }

  warn(warning: ConfigProblem): void {
    this.warnings.push(warning);
  }

  /** Remembers that an unknown key was probably meant to be `path`, so that "is required" is not said as well. */
  expect(path: string): void {
    this.#meant.add(path);
  }

  /** Whether something inside `path`, or all of it, was found wrong already. */
  has(path: string): boolean {
    if (this.#meant.has(path)) return true;
    for (const found of this.#paths)
      if (found !== "" && (isWithin(found, path) || isWithin(path, found))) return true;
    return false;
  }

  /** Whether the value of `path`, or of something around it, was put in for a reference. */
  isReference(path: string): boolean {
    return this.#reference(path) !== undefined;
  }

  /** `value` as it may be shown: never a secret, never what a reference stood for. */
  shown(path: string, value: unknown, sensitive: boolean): string {
    const reference = this.#reference(path);
    if (reference !== undefined) return reference;
    if (sensitive) return redacted;
    const text = (JSON.stringify(value) ?? String(value)).replace(/:\/\/[^/@\s"]*@/g, `://${redacted}@`);
    if (this.#secretNames.some((name) => text.includes(name))) return redacted;
    return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
  }

  #reference(path: string): string | undefined {
    for (const [referencePath, text] of this.#references) if (isWithin(path, referencePath)) return text;
    return undefined;
  }
}
