/**
 * The part of JSON Schema (draft 2020-12) that property tables are turned into, and that the validator explains well.
 *
 * Other keywords are allowed and are checked by ajv; their messages are plainer.
 */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "string" | "integer" | "number" | "boolean" | "array";
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** Absent counts as `false` for a config: an unknown key is a mistake until the schema says otherwise. */
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  /** `application/json`: the string holds JSON, described by {@link contentSchema}. */
  readonly contentMediaType?: string;
  readonly contentSchema?: JsonSchema;
  /** Never shown, nor anything inside it. */
  readonly "x-sensitive"?: boolean;
  /** The type as the table (and Java) calls it. */
  readonly "x-type"?: string;
  /** The string is a comma-separated list of these. */
  readonly "x-list-of"?: readonly string[];
  /** Heading of the table the property stands in. */
  readonly "x-section"?: string;
  /** What depends on what. Only at the top. */
  readonly "x-conditions"?: readonly Condition[];
  readonly [keyword: string]: unknown;
}

/** One row of the table of conditions. */
export interface Condition {
  /** All must hold; an empty list always holds. */
  readonly when: readonly Clause[];
  readonly effect: Effect;
  readonly because: string;
}

/** A statement about one property, which may stand inside the JSON of another: `login.user`. */
export type Clause =
  | { readonly kind: "set"; readonly path: string }
  | { readonly kind: "not-set"; readonly path: string }
  | { readonly kind: "is"; readonly path: string; readonly values: readonly string[] }
  | { readonly kind: "is-not"; readonly path: string; readonly values: readonly string[] };

export type Effect =
  /** Each of them must be set. */
  | { readonly kind: "required"; readonly paths: readonly string[] }
  /** At least one of them, or of these environment variables, must be set. */
  | {
      readonly kind: "one-required";
      readonly paths: readonly string[];
      readonly environment: readonly string[];
    }
  /** Setting one of them is worth a warning, and its content is not looked at. */
  | { readonly kind: "ignored"; readonly paths: readonly string[] }
  /** The clause names a spelling that people use; this is the property they mean. */
  | { readonly kind: "meant"; readonly paths: readonly string[] };
