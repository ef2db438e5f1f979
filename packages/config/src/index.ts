export type { Environment } from "./conditions.ts";
export { type ConfigFieldDefinition, configDefinition } from "./config-definition.ts";
export { describeProperties, type PropertyDescription } from "./describe-properties.ts";
export {
  ConfigSchemaError,
  ConfigSyntaxError,
  InvalidConfigError,
  PluginApiVersionError,
  PluginManifestError,
  PropertyTableError,
} from "./errors.ts";
export { parseInstant } from "./instant.ts";
export type { Clause, Condition, Effect, JsonSchema } from "./json-schema.ts";
export { type Manifest, parseManifest } from "./manifest.ts";
export { parseConfigText } from "./parse-config-text.ts";
export { type ConfigProblem, formatProblem } from "./problem.ts";
export {
  type ReferenceSources,
  type ResolvedConfig,
  resolveReferences,
  withoutLineEnd,
} from "./resolve-references.ts";
export { nearest } from "./suggest.ts";
export { type GeneratedConfig, type GenerateOptions, generateFromTables } from "./table/generate.ts";
export {
  compareGeneratedFiles,
  type GeneratedFile,
  textIfThere,
  writeGeneratedFiles,
} from "./table/generated-files.ts";
export { unwrapConfigs } from "./unwrap-configs.ts";
export {
  ConfigValidator,
  type ConfigValidatorOptions,
  type ValidationResult,
  validConfig,
} from "./validator.ts";
