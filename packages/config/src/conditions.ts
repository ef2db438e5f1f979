import type { Findings } from "./findings.ts";
import type { Clause, Condition, Effect } from "./json-schema.ts";

/** What is set at a path, also inside a property's JSON; `undefined` when nothing is. */
export type Lookup = (path: string) => unknown;

/** The settings that conditions speak of. */
export interface Lookups {
  readonly lookup: Lookup;
  /** What a property is without being set; nobody is warned of a default that has no effect. */
  readonly defaultOf: Lookup;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The paths whose content does not matter under these settings. */
export function ignoredPaths(conditions: readonly Condition[], lookup: Lookup): ReadonlySet<string> {
  const ignored = new Set<string>();
  for (const { when, effect } of conditions) {
    if (effect.kind !== "ignored" || !when.every((clause) => holds(clause, lookup))) continue;
    for (const path of effect.paths) if (lookup(path) !== undefined) ignored.add(path);
  }
  return ignored;
}

/**
 * Reports what the conditions ask for and the settings lack, and warns of settings without effect.
 *
 * A condition that speaks of a setting which is itself wrong is left out: it could only repeat the problem.
 *
 * @param environment absent: conditions that an environment variable can satisfy are left to the connector.
 */
export function applyConditions(
  conditions: readonly Condition[],
  lookups: Lookups,
  environment: Environment | undefined,
  findings: Findings,
): void {
  for (const { when, effect, because } of conditions) {
    if (!when.every((clause) => !findings.has(clause.path) && holds(clause, lookups.lookup))) continue;
    apply(effect, because, lookups, environment, findings);
  }
}

function holds(clause: Clause, lookup: Lookup): boolean {
  const value = lookup(clause.path);
  switch (clause.kind) {
    case "set":
      return value !== undefined;
    case "not-set":
      return value === undefined;
    case "is":
      return value !== undefined && clause.values.includes(textOf(value));
    case "is-not":
      return value === undefined || !clause.values.includes(textOf(value));
    default:
      return clause satisfies never;
  }
}

/** A mapping is none of the values, and may be one that cannot be told as text. */
function textOf(value: unknown): string {
  return typeof value === "object" ? "" : String(value);
}

function apply(
  effect: Effect,
  because: string,
  { lookup, defaultOf }: Lookups,
  environment: Environment | undefined,
  findings: Findings,
): void {
  switch (effect.kind) {
    case "required":
      for (const path of effect.paths) {
        if (lookup(path) === undefined && !findings.has(path)) {
          findings.add({ path, message: `is required: ${because}`, remedy: `set ${path}` });
        }
      }
      return;
    case "one-required":
      oneRequired(effect, because, lookup, environment, findings);
      return;
    case "ignored":
      for (const path of effect.paths) {
        const value = lookup(path);
        if (value !== undefined && value !== defaultOf(path)) {
          findings.warn({ path, message: `has no effect: ${because}`, remedy: `remove ${path}` });
        }
      }
      return;
    case "meant": // a spelling, not a rule: see SettingsReader
      return;
    default:
      effect satisfies never;
  }
}

function oneRequired(
  effect: Extract<Effect, { kind: "one-required" }>,
  because: string,
  lookup: Lookup,
  environment: Environment | undefined,
  findings: Findings,
): void {
  if (effect.environment.length > 0 && environment === undefined) return;
  const inEnvironment = effect.environment.some((name) => (environment?.[name] ?? "") !== "");
  if (inEnvironment || effect.paths.some((path) => lookup(path) !== undefined || findings.has(path))) return;
  const [first = "", ...others] = effect.paths;
  const elsewhere = others.length === 0 ? "" : `, or ${others.join(" or ")}`;
  const variables =
    effect.environment.length === 0 ? "" : `, or ${effect.environment.join(" or ")} in the environment`;
  findings.add({
    path: first,
    message: `is required: ${because}`,
    remedy: `set ${first}${elsewhere}${variables}`,
  });
}
