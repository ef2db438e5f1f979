import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ConfigValidator,
  formatProblem,
  InvalidConfigError,
  resolveReferences,
  type ValidationResult,
} from "../src/index.ts";
import { generateExample } from "./example-table.ts";

/** Long enough to be found by accident nowhere, and with every character that breaks JSON, YAML and patterns. */
const secret = fc.tuple(fc.string({ maxLength: 8 }), fc.uuid()).map(([odd, uuid]) => `${odd}${uuid}`);

const around = [
  (text: string) => text,
  (text: string) => `{"user":"u","password":${JSON.stringify(text)}}`,
  (text: string) => `{"user":"u","passwrd":${JSON.stringify(text)}}`,
  (text: string) => `{"user":"u","password":${JSON.stringify(text)}`,
  (text: string) => `{"user":${JSON.stringify(text)}}`,
  (text: string) => `{"user":["${text}"],"password":{"x":${JSON.stringify(text)}}}`,
  (text: string) => `{${JSON.stringify(text)}:"u"}`,
  (text: string) => `[${JSON.stringify(text)}]`,
  (text: string) => ({ user: "u", password: [text] }),
  (text: string) => ({ [text]: "u" }),
  (text: string) => [text],
];

function everythingSaid(result: ValidationResult<unknown>): string {
  if (result.kind === "valid") return JSON.stringify(result.warnings);
  const { problems, warnings } = result;
  const error = new InvalidConfigError(problems);
  const said = { problems, warnings, message: error.message, details: error.details, remedy: error.remedy };
  return `${JSON.stringify(said)}${problems.map(formatProblem).join("")}${warnings.map(formatProblem).join("")}`;
}

/** As it would look in the output, escaped or not. */
function isSaid(text: string, secretText: string): boolean {
  const core = secretText.slice(-36); // the uuid: nothing in it is ever escaped
  return text.includes(core);
}

describe("a secret", () => {
  it("is in nothing the validator says, wherever in a sensitive property it stands", async () => {
    const validator = new ConfigValidator((await generateExample()).schema);
    fc.assert(
      fc.property(secret, fc.constantFrom(...around), (text, wrap) => {
        const said = everythingSaid(validator.validate({ folder: 7, retries: "x", login: wrap(text) }));
        expect(isSaid(said, text)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("is in nothing the validator says when a reference brings it, into any property", async () => {
    const validator = new ConfigValidator((await generateExample()).schema);
    const names = [
      "folder",
      "table",
      "home",
      "order",
      "since",
      "retries",
      "ratio",
      "recursive",
      "fields",
      "login",
    ];
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.constantFrom(...names),
        fc.constantFrom("env", "file", "secret", ""),
        async (text, name, kind) => {
          const reference = kind === "" ? "X" : `${kind}:X`;
          const resolved = await resolveReferences(
            { folder: "/in", [name]: `\${${reference}}` },
            { env: { X: text }, secrets: { X: text }, readFile: () => Promise.resolve(text) },
          );
          expect(isSaid(everythingSaid(validator.validate(resolved)), text)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is not shown when it was put, name and all, into a property that is not sensitive", async () => {
    const validator = new ConfigValidator((await generateExample()).schema);
    const config = { folder: "/in", order: '{"user":"u","password":"S3CR3T"}', unknown: "S3CR3T" };
    expect(everythingSaid(validator.validate(config))).not.toContain("S3CR3T");
  });
});
