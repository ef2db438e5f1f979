import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { generateMetaSchemaCheck, metaSchemaCheckFile } from "../bin/meta-schema-check.ts";
import { ConfigSchemaError, ConfigValidator, type JsonSchema } from "../src/index.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

const defective: readonly unknown[] = [
  { type: "objekt" },
  { type: ["string", "strnig"] },
  { properties: [] },
  { properties: { retries: { type: "integer", minimum: "1" } } },
  { properties: { folder: { type: "string", pattern: 5 } } },
  { properties: { folder: { enum: "in" } } },
  { required: "folder" },
  { required: ["folder", "folder"] },
  { properties: { servers: { items: { properties: { port: { type: "number", multipleOf: 0 } } } } } },
  { properties: { role: { contentSchema: { properties: { name: { type: "text" } } } } } },
  { $schema: "http://json-schema.org/draft-07/schema#", type: "object" },
  { $schema: 5 },
];

/** What the constructor of a validator says of a schema: nothing of one that it takes. */
function refusal(schema: unknown): string | undefined {
  try {
    // A schema comes from a file of the connector: its type says nothing about it.
    new ConfigValidator(schema as JsonSchema);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigSchemaError) || !(error.cause instanceof Error)) throw error;
    return error.cause.message;
  }
}

function refusalOfAjv(schema: unknown): string | undefined {
  try {
    // Its type says nothing about it.
    new Ajv2020({ allErrors: true, strict: false, logger: false }).compile(schema as object);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message;
  }
}

describe("the check of a connector's schema", () => {
  it("is the one that ajv compiles from the meta-schema", async () => {
    expect(await readFile(`${root}/${metaSchemaCheckFile}`, "utf8")).toBe(generateMetaSchemaCheck());
  });

  it.each(defective)("refuses %j in the words of ajv", (schema) => {
    const said = refusal(schema);
    expect(said).toBeDefined();
    expect(said).toBe(refusalOfAjv(schema));
  });

  it.each([
    {},
    { $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" },
    { $schema: "https://json-schema.org/draft/2020-12/schema#", type: "object" },
    { properties: { inner: { $ref: "https://json-schema.org/draft/2020-12/schema" } } },
  ])("takes %j", (schema) => {
    expect(refusal(schema)).toBeUndefined();
    expect(refusalOfAjv(schema)).toBeUndefined();
  });
});
