import { describeProperties, type JsonSchema } from "@pulsar-ts-io/config";

const hidden = "(redacted)";
/** Shorter ones stand in too many words that are none. */
const minLength = 6;

/** Takes `secrets` out of a text, wherever in it they stand, also within JSON, and line by line. */
export function secretMask(secrets: Iterable<string>): (text: string) => string {
  const forms = [...secrets].flatMap((secret) => [secret, asInJson(secret), ...secret.split(/\r?\n/)]);
  const known = [...new Set(forms)].filter((form) => form.trim().length >= minLength);
  // One secret may begin another: the longer one goes first.
  known.sort((left, right) => right.length - left.length);
  return (text) => known.reduce((masked, secret) => masked.replaceAll(secret, hidden), text);
}

function asInJson(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}

/** A connector's config, in its two forms. */
export interface ConfigForms {
  /** Complete, references resolved. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As it was written, references and all. */
  readonly written: Readonly<Record<string, unknown>>;
  readonly schema: JsonSchema;
}

/** The texts of a config that nobody may see: those of sensitive settings, and whatever a reference led to. */
export function secretsOf({ config, written, schema }: ConfigForms): readonly string[] {
  const sensitive = sensitiveNames(schema);
  return Object.entries(config).flatMap(([name, value]) =>
    sensitive.has(name) || holdsReference(written[name]) ? textsIn(value) : [],
  );
}

/** A config as it is in force, for all to see: sensitive settings hidden, references as they were written. */
export function shownConfig({ config, written, schema }: ConfigForms): Readonly<Record<string, unknown>> {
  const sensitive = sensitiveNames(schema);
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (sensitive.has(name) && value !== "" && value !== undefined) return [name, hidden];
      return [name, holdsReference(written[name]) ? written[name] : value];
    }),
  );
}

/** The settings that are sensitive, or have something sensitive in them. */
function sensitiveNames(schema: JsonSchema): ReadonlySet<string> {
  const rows = describeProperties(schema).filter(({ sensitive }) => sensitive);
  return new Set(rows.map(({ name }) => name.replace(/[.[].*$/, "")));
}

function holdsReference(value: unknown): boolean {
  return textsIn(value).some((text) => text.includes("${"));
}

/** Every text in `value`, that of JSON in a text included. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value, ...textsInJson(value)];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function textsInJson(text: string): readonly string[] {
  if (!text.trimStart().startsWith("{")) return [];
  try {
    return textsIn(JSON.parse(text));
  } catch {
    return []; // it only looked like JSON
  }
}
