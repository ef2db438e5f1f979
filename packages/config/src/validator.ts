import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { outOfBounds } from "./bounds.ts";
import { applyConditions, type Environment, ignoredPaths, type Lookup } from "./conditions.ts";
import { describeProperties } from "./describe-properties.ts";
import { ConfigSchemaError, InvalidConfigError } from "./errors.ts";
import { Findings } from "./findings.ts";
import type { JsonSchema } from "./json-schema.ts";
import { isMapping } from "./mapping.ts";
import { metaSchemaOrigin, metaSchemaProblem } from "./meta-schema.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ResolvedConfig } from "./resolve-references.ts";
import { reportSchemaErrors } from "./schema-problems.ts";
import { type Meant, SettingsReader } from "./settings.ts";

export type ValidationResult<C> =
  | { readonly kind: "valid"; readonly config: C; readonly warnings: readonly ConfigProblem[] }
  | {
      readonly kind: "invalid";
      readonly problems: readonly ConfigProblem[];
      readonly warnings: readonly ConfigProblem[];
    };

export interface ConfigValidatorOptions {
  /**
   * The environment the connector will run in. Only whether a variable is set matters, for conditions that one can satisfy;
   * absent: those conditions are left to the connector.
   */
  readonly environment?: Environment;
}

/**
 * Checks the configs of one connector against its schema, and completes them.
 *
 * Safe to share and to call any number of times; a config is copied, never changed.
 *
 * @typeParam C the type that was generated with the schema.
 */
export class ConfigValidator<C = Record<string, unknown>> {
  readonly #schema: JsonSchema;
  readonly #environment: Environment | undefined;
  readonly #meant: Meant;
  readonly #secretNames: readonly string[];
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<JsonSchema, ValidateFunction>();

  /** @throws ConfigSchemaError (`PIO_CONFIG_SCHEMA`) when `schema` is no JSON Schema: a defect of the connector. */
  constructor(schema: JsonSchema, options: ConfigValidatorOptions = {}) {
    const problem = metaSchemaProblem(schema);
    if (problem !== undefined) throw noJsonSchema(new Error(problem));
    this.#schema = schema;
    this.#environment = options.environment;
    this.#meant = spellings(schema);
    this.#secretNames = sensitiveNames(schema);
    this.#ajv = createAjv(schema);
    ajvFormats.default(this.#ajv);
    this.#compile(schema);
  }

  /**
   * The config as the connector gets it, coerced and with defaults, or everything that is wrong with it.
   *
   * No problem and no warning ever holds the value of a sensitive property, or what a reference stood for.
   */
  validate(config: ResolvedConfig | Readonly<Record<string, unknown>>): ValidationResult<C> {
    const resolved = isResolved(config) ? config : unresolved(config);
    const findings = new Findings(withSecretReferences(resolved, this.#schema), this.#secretNames);
    for (const problem of resolved.problems) findings.addAnother(problem);
    for (const warning of resolved.warnings) findings.warn(warning);
    const bounds = outOfBounds(resolved.values);
    if (bounds !== undefined) findings.add(bounds);
    const settings = bounds === undefined ? this.#check(resolved, findings) : {};
    const { problems, warnings } = findings;
    if (problems.length > 0) return { kind: "invalid", problems, warnings };
    // The schema is what C was generated from, and every check of it has passed.
    return { kind: "valid", config: settings as C, warnings };
  }

  #check(resolved: ResolvedConfig, findings: Findings): Record<string, unknown> {
    const reader = new SettingsReader(findings, this.#meant);
    const settings = reader.read(overlaySecrets(resolved, this.#schema), this.#schema, "", false);
    const conditions = this.#schema["x-conditions"] ?? [];
    const contents = new Map<string, Record<string, unknown>>();
    const lookup: Lookup = (path) => lookUp(path, settings, contents);
    const ignored = ignoredPaths(conditions, lookup);
    for (const [key, property] of Object.entries(this.#schema.properties ?? {})) {
      const text = settings[key];
      if (property.contentMediaType !== "application/json" || typeof text !== "string" || ignored.has(key))
        continue;
      const content = this.#content(text, key, property, findings, reader);
      if (content !== undefined) contents.set(key, content);
    }
    this.#checkSchema(settings, this.#schema, "", false, findings);
    const defaultOf: Lookup = (path) => this.#schema.properties?.[path]?.default;
    applyConditions(conditions, { lookup, defaultOf }, this.#environment, findings);
    return settings;
  }

  /** The settings in a property's JSON; `undefined` when there are none to look at. */
  #content(
    text: string,
    path: string,
    property: JsonSchema,
    findings: Findings,
    reader: SettingsReader,
  ): Record<string, unknown> | undefined {
    const sensitive = property["x-sensitive"] === true;
    const parsed = parseJsonMapping(text);
    const problem = typeof parsed === "string" ? { message: parsed } : outOfBounds(parsed);
    if (typeof parsed === "string" || problem !== undefined) {
      findings.add({
        path,
        value: findings.shown(path, text, sensitive),
        message: problem?.message ?? "is not valid",
        remedy: 'write a JSON object such as {"name":"value"}, its quotes escaped inside another JSON text',
      });
      return undefined;
    }
    const schema = property.contentSchema;
    if (schema === undefined) return parsed;
    const content = reader.read(parsed, schema, path, sensitive);
    this.#checkSchema(content, schema, path, sensitive, findings);
    return content;
  }

  #checkSchema(
    value: unknown,
    schema: JsonSchema,
    path: string,
    sensitive: boolean,
    findings: Findings,
  ): void {
    const validate = this.#compile(schema);
    if (validate(value)) return;
    reportSchemaErrors(
      validate.errors ?? [],
      { path, schema, value, sensitive },
      findings,
      (property, candidate) => this.#compile(property)(candidate),
    );
  }

  #compile(schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    try {
      const validate = this.#ajv.compile(schema);
      this.#compiled.set(schema, validate);
      return validate;
    } catch (error) {
      throw noJsonSchema(error);
    }
  }
}

/** Without checks of the schema by ajv, which would compile the meta-schema for each process: {@link metaSchemaProblem} is compiled already. */
function createAjv(schema: JsonSchema): Ajv2020 {
  return new Ajv2020({
    allErrors: true,
    strict: false,
    addUsedSchema: false,
    logger: false,
    validateSchema: false,
    // Only a schema that refers to the meta-schema needs it.
    meta: JSON.stringify(schema).includes(`"$ref":"${metaSchemaOrigin}`),
  });
}

function noJsonSchema(cause: unknown): ConfigSchemaError {
  return new ConfigSchemaError("the connector's config schema is not a valid JSON Schema", {
    cause,
    remedy: "this is a defect of the connector: run its schema generation again, or report it",
  });
}

/** The config of a result. @throws InvalidConfigError (`PIO_INVALID_CONFIG`) with every problem. */
export function validConfig<C>(result: ValidationResult<C>): C {
  if (result.kind === "valid") return result.config;
  throw new InvalidConfigError(result.problems);
}

function isResolved(config: object): config is ResolvedConfig {
  // No text of a config becomes a Map: whoever has one comes from resolveReferences.
  return "references" in config && config.references instanceof Map && "values" in config;
}

function unresolved(values: Readonly<Record<string, unknown>>): ResolvedConfig {
  return { values, references: new Map(), problems: [], warnings: [], secrets: {} };
}

/** The last parts of their paths: what stands before the value in a JSON text. */
function sensitiveNames(schema: JsonSchema): readonly string[] {
  const rows = describeProperties(schema).filter(({ sensitive }) => sensitive);
  return rows.map(({ name }) => name.slice(name.lastIndexOf(".") + 1));
}

/** Names of the sensitive properties that Pulsar's secrets map has a value for. */
function secretNames(resolved: ResolvedConfig, schema: JsonSchema): readonly string[] {
  const properties = Object.entries(schema.properties ?? {});
  return properties
    .filter(([name, property]) => property["x-sensitive"] === true && Object.hasOwn(resolved.secrets, name))
    .map(([name]) => name);
}

function withSecretReferences(resolved: ResolvedConfig, schema: JsonSchema): ReadonlyMap<string, string> {
  const references = new Map(resolved.references);
  for (const name of secretNames(resolved, schema)) references.set(name, `\${secret:${name}}`);
  return references;
}

function overlaySecrets(resolved: ResolvedConfig, schema: JsonSchema): Record<string, unknown> {
  const values: Record<string, unknown> = { ...resolved.values };
  for (const name of secretNames(resolved, schema)) values[name] = resolved.secrets[name];
  return values;
}

function spellings(schema: JsonSchema): Meant {
  const meant = new Map<string, { readonly path: string; readonly because: string }>();
  for (const { when, effect, because } of schema["x-conditions"] ?? []) {
    const [spelling] = when;
    const [path] = effect.paths;
    if (effect.kind === "meant" && spelling !== undefined && path !== undefined) {
      meant.set(spelling.path, { path, because });
    }
  }
  return meant;
}

function lookUp(
  path: string,
  settings: Readonly<Record<string, unknown>>,
  contents: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): unknown {
  const [property = "", inner] = path.split(".", 2);
  const map = inner === undefined ? settings : contents.get(property);
  const key = inner ?? property;
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** The mapping, or what is wrong, in words that do not repeat the text: it may be a secret. */
function parseJsonMapping(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) ? value : "must be a JSON object";
  } catch {
    return "is not valid JSON";
  }
}
