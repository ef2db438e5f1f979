import { isUnset } from "./fields.ts";
import type { ProblemList } from "./problem-list.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Reads typed values out of one mapping; what has the wrong type becomes a problem, and counts as not set. */
export class FieldReader {
  readonly #fields: Fields;
  readonly #prefix: string;
  readonly #problems: ProblemList;

  /** @param prefix path of the mapping, with its dot: `producerConfig.`; empty at the top. */
  constructor(fields: Fields, prefix: string, problems: ProblemList) {
    this.#fields = fields;
    this.#prefix = prefix;
    this.#problems = problems;
  }

  text(name: string): string | undefined {
    const value = this.#set(name);
    if (value === undefined || typeof value === "string") return value;
    return this.#wrong(name, "must be a text", value);
  }

  /** An integer of at least `least`; a text of digits counts. 0 counts as not set. */
  integer(name: string, least: number): number | undefined {
    const value = this.#set(name);
    if (value === undefined) return undefined;
    const number = typeof value === "string" && /^-?\d+$/.test(value.trim()) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= least) return number;
    return this.#wrong(name, `must be an integer of at least ${least}`, value);
  }

  /** A boolean, or the text of one. */
  boolean(name: string): boolean | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    return this.#wrong(name, "must be true or false", value);
  }

  mapping(name: string): Fields | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value === "object" && !Array.isArray(value)) return { ...value };
    // Its value is not shown: a config or a secrets map that is given as text may hold secrets.
    return this.#wrong(name, "must be a mapping", undefined);
  }

  /** One of `allowed`, whatever the case it is written in. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value.toUpperCase());
    return found ?? this.#wrong(name, `must be one of ${allowed.join(", ")}`, value);
  }

  #set(name: string): unknown {
    const value = this.#fields[name];
    return isUnset(value) ? undefined : value;
  }

  #wrong(name: string, message: string, value: unknown): undefined {
    this.#problems.refuse(`${this.#prefix}${name}`, message, "correct or remove it", value);
    return undefined;
  }
}
