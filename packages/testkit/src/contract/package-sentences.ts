import assert from "node:assert/strict";
import { ConfigValidator, formatProblem, type ValidationResult } from "@pulsar-ts-io/config";
import type { WrittenConfig } from "./contract-options.ts";
import type { ContractStage } from "./contract-stage.ts";
import type { Sentence } from "./sentence.ts";

/** What a connector's files promise, before any of its code runs. */
export const packageSentences: readonly Sentence[] = [
  {
    says: "the manifest loads without running code",
    needs: [],
    async check(stage) {
      const { manifest, schema } = stage.files;
      assert.equal(
        manifest.sourceClass.exportName,
        stage.sourceName,
        "sourceClass of the manifest names another class than the one of this suite",
      );
      assert.ok(Object.keys(schema.properties ?? {}).length > 0, "the schema describes no settings");
      const verdict = validate(stage, stage.written);
      assert.deepEqual(problemsOf(verdict), [], "the config of this suite is not valid");
    },
  },
  {
    says: "unknown keys are refused with a suggestion",
    needs: [],
    async check(stage) {
      const [known = ""] = Object.keys(stage.schema.properties ?? {}).filter((name) => name.length > 3);
      assert.notEqual(known, "", "no setting has a name that can be mistyped");
      const mistyped = `${known}x`;
      const problems = problemsOf(validate(stage, { ...stage.written, [mistyped]: 1 }));
      const said = problems.filter((problem) => problem.startsWith(`${mistyped}:`));
      assert.equal(said.length, 1, `${mistyped} was not refused`);
      assert.ok(said[0]?.includes(`did you mean ${known}?`), `no suggestion for ${mistyped}: ${said[0]}`);
    },
  },
  {
    says: "every invalid fixture fails with its path",
    needs: [],
    async check(stage) {
      const { invalidConfigs } = stage.settings;
      assert.ok(invalidConfigs.length > 0, "there is no invalid config: give at least one");
      for (const { config, path } of invalidConfigs) {
        const verdict = validate(stage, config);
        const paths = verdict.kind === "invalid" ? verdict.problems.map((problem) => problem.path) : [];
        assert.ok(
          paths.includes(path),
          `${path} should be refused in ${JSON.stringify(Object.keys(config))}; refused: ${paths.join(", ") || "nothing"}`,
        );
      }
    },
  },
];

function validate<C>(stage: ContractStage<C>, config: WrittenConfig): ValidationResult<unknown> {
  return new ConfigValidator(stage.schema, { environment: {} }).validate(config);
}

function problemsOf(verdict: ValidationResult<unknown>): readonly string[] {
  return verdict.kind === "invalid" ? verdict.problems.map(formatProblem) : [];
}
