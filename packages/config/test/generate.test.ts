import { describe, expect, it } from "vitest";
import { ConfigValidator, describeProperties, formatProblem, type PropertyTableError } from "../src/index.ts";
import { exampleTable, generateExample } from "./example-table.ts";

/** The example with one row changed. */
function edited(from: string, to: string): string {
  expect(exampleTable).toContain(from);
  return exampleTable.replace(from, to);
}

async function defect(markdown: string): Promise<PropertyTableError> {
  return await generateExample(markdown).then(
    () => expect.unreachable("the table was accepted"),
    (error: PropertyTableError) => error,
  );
}

describe("generateFromTables", () => {
  it("turns the table into a schema", async () => {
    const { schema } = await generateExample();
    expect(schema).toMatchObject({
      title: "files-source",
      type: "object",
      required: ["folder"],
      additionalProperties: false,
    });
    expect(schema.properties?.["table"]).toEqual({
      type: "string",
      description: "The table's name.",
      minLength: 3,
      maxLength: 20,
      pattern: "^[A-Za-z0-9_-]*$",
      "x-allowed": "3 to 20 characters of A-Za-z0-9_-",
      "x-type": "String",
      "x-section": "Settings",
      default: "files",
    });
    expect(schema.properties?.["order"]).toMatchObject({
      enum: ["OLDEST", "NEWEST", "SINCE"],
      default: "OLDEST",
    });
    expect(schema.properties?.["maxBytes"]).toMatchObject({
      type: "integer",
      minimum: 1,
      default: 5_000_000_000,
    });
    expect(schema.properties?.["since"]).toMatchObject({
      type: "string",
      format: "date-time",
      "x-type": "Date",
    });
    expect(schema.properties?.["since"]).not.toHaveProperty("default");
    expect(schema.properties?.["login"]).toMatchObject({
      "x-sensitive": true,
      contentMediaType: "application/json",
      contentSchema: { type: "object", properties: { user: {}, password: {} }, additionalProperties: false },
    });
  });

  it("turns the conditions into data", async () => {
    const { schema } = await generateExample();
    expect(schema["x-conditions"]).toEqual([
      {
        when: [{ kind: "is", path: "order", values: ["SINCE"] }],
        effect: { kind: "required", paths: ["since"] },
        because: "SINCE starts there",
      },
      {
        when: [{ kind: "is-not", path: "order", values: ["SINCE"] }],
        effect: { kind: "ignored", paths: ["since"] },
        because: "only SINCE starts at a time",
      },
      {
        when: [{ kind: "set", path: "login" }],
        effect: { kind: "required", paths: ["login.user", "login.password"] },
        because: "a login has both",
      },
      {
        when: [{ kind: "set", path: "login.passwort" }],
        effect: { kind: "meant", paths: ["login.password"] },
        because: "that is the German spelling",
      },
      {
        when: [],
        effect: { kind: "one-required", paths: ["home", "folder"], environment: ["FILES_HOME"] },
        because: "something must be read",
      },
    ]);
  });

  it("writes the type of a config that is complete", async () => {
    const { typeScript } = await generateExample();
    expect(typeScript).toContain("export interface FilesSourceOptions {");
    expect(typeScript).toContain("\n  readonly folder: string;");
    expect(typeScript).toContain("\n  readonly home?: string | undefined;");
    expect(typeScript).toContain('\n  readonly order: "OLDEST" | "NEWEST" | "SINCE";');
    expect(typeScript).toContain("\n  /** How often to try. Default `3`. */\n  readonly retries: number;");
    expect(typeScript).toContain("export interface Login {");
  });

  it("gives the same texts for the same table", async () => {
    expect(await generateExample()).toEqual(await generateExample());
  });

  it("changes schema, type, validator and description with one edit of the table", async () => {
    const before = await generateExample();
    const after = await generateExample(
      edited("| int | false | false | 3 | 0 to 10 |", "| int | false | false | 30 | 20 to 50 |"),
    );
    expect(after.schema.properties?.["retries"]).toMatchObject({ default: 30, minimum: 20, maximum: 50 });
    expect(after.typeScript).not.toBe(before.typeScript);
    const problems = new ConfigValidator(after.schema).validate({ folder: "/in", retries: 3 });
    expect(problems.kind === "invalid" && problems.problems.map(formatProblem)).toEqual([
      "retries: must be 20 to 50, got 3",
    ]);
    expect(describeProperties(after.schema).find(({ name }) => name === "retries")).toMatchObject({
      default: "30",
      allowed: "20 to 50",
    });
  });

  it("reads several tables, and remembers the heading of each", async () => {
    const markdown = `${exampleTable}\n### Ours\n\n| Name | Type | Required | Sensitive | Default | Description |\n|---|---|---|---|---|---|\n| \`extra\` | int | false | false | | More. |\n`;
    const { schema } = await generateExample(markdown);
    expect(schema.properties?.["extra"]?.["x-section"]).toBe("Ours");
  });

  it.each([
    [
      "an unknown type",
      "| `ratio` | double |",
      "| `ratio` | decimal |",
      "ratio",
      "type",
      '"decimal" is no known type',
    ],
    [
      "an unknown type beside a range",
      "| `retries` | int |",
      "| `retries` | Itn |",
      "retries",
      "type",
      '"Itn" is no known type',
    ],
    [
      "a default of another type",
      "| int | false | false | 3 |",
      "| int | false | false | three |",
      "retries",
      "default",
      '"three" does not fit the type: must be an integer',
    ],
    [
      "a default out of range",
      "| int | false | false | 3 |",
      "| int | false | false | 11 |",
      "retries",
      "default",
      "is not allowed: must be 0 to 10",
    ],
    [
      "a default that is no member",
      "| FileOrder | false | false | OLDEST |",
      "| FileOrder | false | false | OLD |",
      "order",
      "default",
      "is not allowed: must be one of OLDEST, NEWEST, SINCE",
    ],
    [
      "a default of a secret",
      "| `login` | String | false | true | |",
      "| `login` | String | false | true | {} |",
      "login",
      "default",
      "a secret has no default",
    ],
    ["a name that stands twice", "| `ratio` |", "| `Table` |", "Table", "name", '"Table" stands twice'],
    ["a name that is none", "| `ratio` |", "| `the ratio` |", "the ratio", "name", '"the ratio" is no name'],
    [
      "a flag that is none",
      "| `ratio` | double | false |",
      "| `ratio` | double | no |",
      "ratio",
      "required",
      '"no" is neither true nor false',
    ],
    [
      "an allowed cell in other words",
      "0 to 10",
      "between 0 and 10",
      "retries",
      "allowed",
      '"between 0 and 10" is not understood',
    ],
    ["a range the wrong way round", "0 to 10", "10 to 0", "retries", "allowed", "the range is empty"],
    ["a range for a text", "| URL |", "| 1 to 2 |", "home", "allowed", '"1 to 2" does not go with the type'],
    [
      "characters that are no class",
      "`A-Za-z0-9_-`",
      "`z-a`",
      "table",
      "allowed",
      "the characters are no character class",
    ],
    [
      "settings inside what is no JSON",
      "| `login.user` |",
      "| `table.user` |",
      "table.user",
      "name",
      'there is no property "table" that holds JSON',
    ],
    [
      "a condition in other words",
      "`login` is set",
      "`login` exists",
      "login exists",
      "when",
      '"`login` exists" is not understood',
    ],
    [
      "an effect in other words",
      "`since` is required",
      "`since` must be there",
      "order is SINCE",
      "then",
      '"`since` must be there" is not understood',
    ],
    [
      "a condition on no property",
      "`login` is set",
      "`logn` is set",
      "logn is set",
      "when",
      'there is no property "logn"',
    ],
    [
      "an effect on no property",
      "`since` is required",
      "`sinse` is required",
      "order is SINCE",
      "then",
      'there is no property "sinse"',
    ],
    [
      "a condition on no value",
      "`order` is `SINCE`",
      "`order` is `SINSE`",
      "order is SINSE",
      "when",
      '"SINSE" is none of the allowed values',
    ],
    [
      "a misspelling that is a property",
      "`login.passwort` is set",
      "`login.user` is set",
      "login.user is set",
      "when",
      '"login.user" is a property, not a misspelling',
    ],
    [
      "a condition without a reason",
      "| a login has both |",
      "| |",
      "login is set",
      "because",
      "a condition needs a reason",
    ],
  ])("refuses %s, naming row and column", async (_what, from, to, row, column, message) => {
    const error = await defect(edited(from, to));
    expect(error.code).toBe("PIO_PROPERTY_TABLE");
    expect(error.message).toContain(`row "${row}", column "${column}": ${message}`);
    expect(error.message).toMatch(/^line \d+, table "/);
    expect(error.remedy).toMatch(/./);
  });

  it("refuses a text without a property table", async () => {
    expect((await defect("# Nothing\n\n| A |\n|---|\n| 1 |\n")).message).toBe(
      "there is no property table in README.md",
    );
  });
});
