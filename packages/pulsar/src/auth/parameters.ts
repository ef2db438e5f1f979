import { InvalidAuthenticationError } from "../errors.ts";

export type Parameters = Readonly<Record<string, string | undefined>>;

/** How a plugin's parameters are spoken of. */
export interface ParametersForm {
  /** The short name of the plugin. */
  readonly plugin: string;
  /** What to write instead. */
  readonly remedy: string;
}

/**
 * Parameters in Java's two forms: a JSON object of texts, or `name:value,name:value` where that is allowed.
 *
 * @throws InvalidAuthenticationError (`PIO_INVALID_AUTHENTICATION`), which repeats nothing of the text: it may hold a secret.
 */
export function readParameters(text: string, form: ParametersForm, pairsAllowed = false): Parameters {
  if (text === "") throw invalidParameters("there are none", form);
  if (text.startsWith("{")) return readJson(text, form);
  if (!pairsAllowed) throw invalidParameters("they are no JSON", form);
  const pairs = text.split(",").map((pair): [string, string] => {
    const colon = pair.indexOf(":");
    if (colon < 1) throw invalidParameters("a part of them is no name:value", form);
    return [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()];
  });
  return Object.fromEntries(pairs);
}

/** The text under `name`. @throws InvalidAuthenticationError */
export function requiredParameter(parameters: Parameters, name: string, form: ParametersForm): string {
  const value = parameters[name];
  if (value === undefined || value === "") throw invalidParameters(`${name} is missing`, form);
  return value;
}

export function invalidParameters(
  why: string,
  { plugin, remedy }: ParametersForm,
): InvalidAuthenticationError {
  return new InvalidAuthenticationError(
    `the parameters of the authentication plugin ${plugin} are not valid: ${why}`,
    { details: { plugin }, remedy },
  );
}

function readJson(text: string, form: ParametersForm): Parameters {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would repeat a part of a secret.
    throw invalidParameters("they begin with { and are no JSON", form);
  }
  if (typeof parsed !== "object" || parsed === null) throw invalidParameters("they are no JSON object", form);
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [name, typeof value === "string" ? value : undefined]),
  );
}
