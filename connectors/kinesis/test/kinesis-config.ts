import { readFileSync } from "node:fs";
import {
  ConfigValidator,
  formatProblem,
  type JsonSchema,
  type ResolvedConfig,
  type ValidationResult,
  validConfig,
} from "@pulsar-ts-io/config";
import type { KinesisSourceOptions } from "../src/index.ts";

/** A file of this folder, as text. */
export function fileText(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

export const schema: JsonSchema = JSON.parse(fileText("../schemas/kinesis-source.schema.json"));

export const validator: ConfigValidator<KinesisSourceOptions> = new ConfigValidator(schema, {
  environment: {},
});

/** What every config needs; tests add to it. */
export const minimal = {
  awsRegion: "eu-west-1",
  awsKinesisStreamName: "my-stream",
  awsCredentialPluginName: "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
};

export function validate(
  config: Record<string, unknown> | ResolvedConfig,
): ValidationResult<KinesisSourceOptions> {
  return validator.validate(config);
}

/** The minimal config with `more`, validated. */
export function options(more: Record<string, unknown> = {}): KinesisSourceOptions {
  return validConfig(validate({ ...minimal, ...more }));
}

export function problemsOf(config: Record<string, unknown> | ResolvedConfig): readonly string[] {
  const result = validate(config);
  return result.kind === "valid" ? [] : result.problems.map(formatProblem);
}

export function warningsOf(config: Record<string, unknown>): readonly string[] {
  return validate(config).warnings.map(formatProblem);
}
