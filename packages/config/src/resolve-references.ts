import { outOfBounds } from "./bounds.ts";
import { itemPath, memberPath } from "./config-path.ts";
import type { ConfigProblem } from "./problem.ts";

/** Where references lead. Handed in, so that only the CLI knows the process's environment and disk. */
export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Rejects when the file cannot be read. */
  readFile(path: string): Promise<string>;
  /** Pulsar's secrets map, already resolved by its provider. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What a text stands for that is nothing but `${NAME}`, where no secret has that name. Absent: for itself. */
  interpolate?(name: string): string | undefined;
}

/** A config whose references are replaced, and what is needed to speak of it without showing them. */
export interface ResolvedConfig {
  readonly values: Readonly<Record<string, unknown>>;
  /** By path, the references its text holds, such as `${env:NAME}`; never what stands beside them. */
  readonly references: ReadonlyMap<string, string>;
  /** References that lead nowhere. The validator reports them with its own. */
  readonly problems: readonly ConfigProblem[];
  /** What looks like a reference, and is none. */
  readonly warnings: readonly ConfigProblem[];
  /** A sensitive property with the name of one of these takes its value from here, as in Pulsar. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** One reference. A doubled dollar sign keeps it as text. */
const referencePattern = /\$?\$\{(env|file|secret):([^}]*)\}/g;

/** A reference, however its kind is written. */
const anyKindPattern = /(?<!\$)\$\{(env|file|secret):([\w./-]*)[^}]*\}/gi;
/** A name alone, as in a shell. Pulsar replaces it where a secret has that name, and nothing else stands beside it. */
const bareNamePattern = /(?<!\$)\$\{([A-Za-z_]\w*)\}/g;

/**
 * Replaces `${env:NAME}`, `${file:/path}` and `${secret:NAME}` in every string, at any depth.
 *
 * A string that is nothing but `${NAME}` is replaced when the secrets map has that name, or its provider knows it, and otherwise
 * left alone: Pulsar's own rule. `$${env:NAME}` stays `${env:NAME}`. What was put in is not resolved again. One line end at the end of a
 * value is dropped, whatever it comes from. In a text that is JSON a value is escaped: it cannot end the string it stands in.
 *
 * @returns also the references that lead nowhere, as problems: nothing is thrown for what a user wrote.
 * @see IOConfigUtils.loadWithSecrets and EnvironmentBasedSecretsProvider in apache/pulsar
 */
export async function resolveReferences(
  config: Record<string, unknown>,
  sources: ReferenceSources,
): Promise<ResolvedConfig> {
  const bounds = outOfBounds(config);
  if (bounds !== undefined) {
    return { values: {}, references: new Map(), problems: [bounds], warnings: [], secrets: sources.secrets };
  }
  const resolver = new Resolver(sources);
  const values = await resolver.mapping(config, "");
  const { references, problems, warnings } = resolver;
  return { values, references, problems, warnings, secrets: sources.secrets };
}

class Resolver {
  readonly references = new Map<string, string>();
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  readonly #sources: ReferenceSources;

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  async mapping(map: object, path: string): Promise<Record<string, unknown>> {
    const resolved: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(map))
      resolved[key] = await this.#value(value, memberPath(path, key));
    return resolved;
  }

  async #value(value: unknown, path: string): Promise<unknown> {
    if (typeof value === "string") return await this.#text(value, path);
    if (Array.isArray(value)) return await this.#list(value, path);
    if (typeof value === "object" && value !== null) return await this.mapping(value, path);
    return value;
  }

  async #list(list: readonly unknown[], path: string): Promise<unknown[]> {
    const resolved: unknown[] = [];
    for (const [index, item] of list.entries()) resolved.push(await this.#value(item, itemPath(path, index)));
    return resolved;
  }

  async #text(text: string, path: string): Promise<string> {
    const secret = this.#wholeSecret(text);
    if (secret !== undefined) {
      this.references.set(path, text);
      return withoutLineEnd(secret);
    }
    const insert = isJsonContainer(text) ? escapeJson : unchanged;
    let resolved = "";
    let end = 0;
    for (const match of text.matchAll(referencePattern)) {
      resolved += text.slice(end, match.index) + (await this.#reference(match, path, insert));
      end = match.index + match[0].length;
    }
    this.#reportMistakes(text, path);
    return resolved + text.slice(end);
  }

  /** What looks like a reference and is none would reach the connector as it stands. */
  #reportMistakes(text: string, path: string): void {
    for (const [, kind = "", name = ""] of text.matchAll(anyKindPattern)) {
      const meant = kind.toLowerCase();
      if (kind === meant) continue;
      this.problems.push({
        path,
        message: `\${${kind}:…} is not a reference`,
        remedy: `write the kind in lower case: \${${meant}:${name === "" ? "NAME" : name}}`,
      });
    }
    for (const [, name = ""] of text.matchAll(bareNamePattern)) {
      this.warnings.push({
        path,
        message: `\${${name}} is left as it is: there is no secret of that name`,
        remedy: `write \${env:${name}} for an environment variable, \${secret:${name}} for a secret`,
      });
    }
  }

  #wholeSecret(text: string): string | undefined {
    const name = /^\$\{([^}:]+)\}$/.exec(text)?.[1];
    if (name === undefined) return undefined;
    return own(this.#sources.secrets, name) ?? this.#sources.interpolate?.(name);
  }

  async #reference(
    match: RegExpMatchArray,
    path: string,
    insert: (value: string) => string,
  ): Promise<string> {
    const [reference, kind = "", name = ""] = match;
    if (reference.startsWith("$$")) return reference.slice(1);
    const before = this.references.get(path);
    this.references.set(path, before === undefined ? reference : `${before} ${reference}`);
    const value = kind === "file" ? await this.#file(name, path) : this.#named(kind, name, path);
    return value === undefined ? reference : insert(withoutLineEnd(value));
  }

  #named(kind: string, name: string, path: string): string | undefined {
    const value = own(kind === "env" ? this.#sources.env : this.#sources.secrets, name);
    if (value !== undefined) return value;
    const problem =
      kind === "env"
        ? {
            message: `the environment variable ${name} is not set`,
            remedy: `set ${name} where the connector runs`,
          }
        : { message: `there is no secret named ${name}`, remedy: `add ${name} to the secrets map` };
    this.problems.push({ path, ...problem });
    return undefined;
  }

  async #file(name: string, path: string): Promise<string | undefined> {
    try {
      return await this.#sources.readFile(name);
    } catch (error) {
      const reason = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
      const message = `the file ${name} cannot be read${reason}`;
      this.problems.push({ path, message, remedy: "check its path and its permissions" });
      return undefined;
    }
  }
}

/** Whether a text is a JSON object or list as it stands, so that its references are inside of JSON strings. */
function isJsonContainer(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function escapeJson(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** What `echo` and editors put at the end. */
export function withoutLineEnd(value: string): string {
  return value.replace(/\r?\n$/, "");
}

function unchanged(value: string): string {
  return value;
}

function own(map: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
