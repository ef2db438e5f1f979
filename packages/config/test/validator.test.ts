import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  ConfigSchemaError,
  ConfigValidator,
  formatProblem,
  InvalidConfigError,
  type JsonSchema,
  type ResolvedConfig,
  resolveReferences,
  validConfig,
} from "../src/index.ts";
import { generateExample } from "./example-table.ts";

let schema: JsonSchema;
let validator: ConfigValidator;

beforeAll(async () => {
  ({ schema } = await generateExample());
  validator = new ConfigValidator(schema);
});

const defaults = {
  folder: "/in",
  table: "files",
  order: "OLDEST",
  retries: 3,
  maxBytes: 5_000_000_000,
  ratio: 0.5,
  recursive: true,
  fields: "name,size",
};

function problemsOf(config: Readonly<Record<string, unknown>> | ResolvedConfig): readonly string[] {
  const result = validator.validate(config);
  return result.kind === "valid" ? [] : result.problems.map(formatProblem);
}

function configOf(config: Readonly<Record<string, unknown>>): unknown {
  const result = validator.validate(config);
  return result.kind === "valid" ? result.config : result.problems;
}

describe("ConfigValidator", () => {
  it("fills the defaults, and does not touch the config it was given", () => {
    const given = Object.freeze({ folder: "/in" });
    expect(configOf(given)).toEqual(defaults);
  });

  it.each([
    ["retries", "7", 7],
    ["retries", " 7 ", 7],
    ["retries", "+7", 7],
    ["retries", 7.0, 7],
    ["maxBytes", "9007199254740991", 9_007_199_254_740_991],
    ["ratio", "0.25", 0.25],
    ["ratio", "1e-2", 0.01],
    ["recursive", "false", false],
    ["recursive", "FALSE", false],
    ["recursive", 0, false],
    ["table", 12_345, "12345"],
    ["table", true, "true"],
    ["since", 1_551_814_138_000, "2019-03-05T19:28:58.000Z"],
    ["since", "1551814138000", "2019-03-05T19:28:58.000Z"],
    ["since", "2019-03-05T20:28:58+01:00", "2019-03-05T19:28:58.000Z"],
    ["login", { user: "u", password: "p" }, '{"user":"u","password":"p"}'],
    ["fields", "", ""],
    ["fields", "owner , name", "owner , name"],
  ])("takes %s: %j for %j", (name, value, coerced) => {
    expect(configOf({ folder: "/in", [name]: value })).toEqual({ ...defaults, [name]: coerced });
  });

  it.each(["", " ", null, undefined])("takes %j for not set", (value) => {
    const { fields, ...others } = defaults;
    const names = [...Object.keys(others), "since", "home", "login"].filter((name) => name !== "folder");
    const blank = Object.fromEntries(names.map((name) => [name, value]));
    expect(configOf({ ...blank, folder: "/in" })).toEqual({ ...others, fields });
    expect(problemsOf({ folder: value })).toEqual(["folder: is required (set folder: The folder.)"]);
  });

  it.each([
    ["retries", 11, "retries: must be 0 to 10, got 11"],
    ["retries", "-1", "retries: must be 0 to 10, got -1"],
    ["retries", 1.5, "retries: must be an integer, got 1.5 (write digits only, without unit or separator)"],
    [
      "retries",
      "3 times",
      'retries: must be an integer, got "3 times" (write digits only, without unit or separator)',
    ],
    ["retries", [3], "retries: must be an integer, got [3] (write digits only, without unit or separator)"],
    [
      "retries",
      "1e1",
      'retries: must be an integer, got "1e1" (write digits only, without unit or separator)',
    ],
    ["maxBytes", 2 ** 53, "maxBytes: must be 1 to 9007199254740991, got 9007199254740992"],
    ["ratio", "half", 'ratio: must be a number, got "half" (write digits, with a point for a fraction)'],
    ["recursive", "yes", 'recursive: must be true or false, got "yes" (write true or false)'],
    ["recursive", 2, "recursive: must be true or false, got 2 (write true or false)"],
    ["order", "newest", 'order: must be one of OLDEST, NEWEST, SINCE, got "newest" (did you mean NEWEST?)'],
    ["order", "RANDOM", 'order: must be one of OLDEST, NEWEST, SINCE, got "RANDOM"'],
    [
      "table",
      "my files!",
      'table: must be 3 to 20 characters of A-Za-z0-9_-, got "my files!" (did you mean my-files?)',
    ],
    [
      "table",
      "arn:aws:store:eu-west-1:123456789012:table/my-files",
      'table: must be 3 to 20 characters of A-Za-z0-9_-, got "arn:aws:store:eu-west-1:123456789012:table/my-files" (did you mean my-files?)',
    ],
    ["table", "ab", 'table: must be 3 to 20 characters of A-Za-z0-9_-, got "ab"'],
    ["table", ["x"], 'table: must be a text, got ["x"] (write one value instead of a list)'],
    ["table", 2 ** 60, "table: must be a text, got 1152921504606847000 (put it in quotes)"],
    ["home", "ftp://x", 'home: must be an http or https URL, got "ftp://x"'],
    ["home", "https://u:pass@/x y", 'home: must be an http or https URL, got "https://(redacted)@/x y"'],
    [
      "fields",
      "name,sise",
      'fields: must be a comma-separated list of name, size, owner, got "sise" (did you mean size?)',
    ],
    [
      "since",
      "yesterday",
      'since: must be a date and time, got "yesterday" (write it as 2019-03-05T19:28:58.000Z or as milliseconds since 1970-01-01T00:00:00Z)',
    ],
  ])("refuses %s: %j, with what is allowed", (name, value, problem) => {
    expect(problemsOf({ folder: "/in", [name]: value })).toEqual([problem]);
  });

  it("reports everything at once, and each thing once", () => {
    const config = { foldr: "/in", order: "SINCE", retries: "x", login: '{"user":"u"}', colour: 1 };
    expect(problemsOf(config)).toEqual([
      "foldr: is not a known setting (did you mean folder?)",
      'retries: must be an integer, got "x" (write digits only, without unit or separator)',
      "colour: is not a known setting (known are folder, table, home, order, since, retries, maxBytes, ratio, recursive, fields, login)",
      "since: is required: SINCE starts there (set since)",
      "login.password: is required: a login has both (set login.password)",
    ]);
  });

  it("shortens what it shows", () => {
    expect(problemsOf({ folder: "/in", order: "x".repeat(500) })[0]?.length).toBeLessThan(200);
  });

  describe("settings in JSON", () => {
    it.each([
      ["not json", "login: is not valid JSON"],
      ["[1]", "login: must be a JSON object"],
      ['"text"', "login: must be a JSON object"],
      ['{"__proto__": {"user": "u"}}', 'login: a key is named "__proto__"'],
    ])("refuses %s without showing it", (text, problem) => {
      const [first = ""] = problemsOf({ folder: "/in", login: text });
      expect(first.startsWith(`${problem}, got (redacted) (`)).toBe(true);
      expect(problemsOf({ folder: "/in", login: text })).toHaveLength(1);
    });

    it("names a key that is nearly right, and no other: it may be the secret", () => {
      expect(problemsOf({ folder: "/in", login: '{"usr":"u","password":"p"}' })).toEqual([
        "login.usr: is not a known setting (did you mean user?)",
      ]);
      expect(problemsOf({ folder: "/in", login: '{"user":"u","password":"p","hunter2":""}' })).toEqual([
        "login: holds a setting that is not known (known are user, password)",
      ]);
    });

    it("says why a known misspelling is one", () => {
      expect(problemsOf({ folder: "/in", login: '{"user":"u","passwort":"p"}' })).toEqual([
        "login.passwort: is not a known setting: that is the German spelling (did you mean password?)",
      ]);
    });
  });

  describe("conditions", () => {
    it("asks for what a value needs", () => {
      expect(problemsOf({ folder: "/in", order: "SINCE" })).toEqual([
        "since: is required: SINCE starts there (set since)",
      ]);
      expect(problemsOf({ folder: "/in", order: "SINCE", since: 0 })).toEqual([]);
    });

    it("warns once of a setting without effect, and accepts it", () => {
      const result = validator.validate({ folder: "/in", since: "2019-03-05" });
      expect(result.kind).toBe("valid");
      expect(result.warnings.map(formatProblem)).toEqual([
        "since: has no effect: only SINCE starts at a time (remove since)",
      ]);
    });

    it("says nothing that only follows from another problem", () => {
      expect(problemsOf({ folder: "/in", order: "SINSE", since: 0 })).toEqual([
        'order: must be one of OLDEST, NEWEST, SINCE, got "SINSE" (did you mean SINCE?)',
      ]);
      expect(validator.validate({ folder: "/in", order: "SINSE", since: 0 }).warnings).toEqual([]);
    });

    it("counts the environment as one way to give a value, when it knows the environment", () => {
      const lax = { ...schema, required: [] };
      const problems = (environment?: Record<string, string>) => {
        const options = environment === undefined ? {} : { environment };
        const result = new ConfigValidator(lax, options).validate({});
        return result.kind === "valid" ? [] : result.problems.map(formatProblem);
      };
      expect(problems()).toEqual([]);
      expect(problems({ FILES_HOME: "/x" })).toEqual([]);
      expect(problems({ FILES_HOME: "" })).toEqual([
        "home: is required: something must be read (set home, or folder, or FILES_HOME in the environment)",
      ]);
    });
  });

  describe("references", () => {
    const sources = {
      env: { RETRIES: "4711", FOLDER: "/env" },
      secrets: {},
      readFile: () => Promise.reject(new Error()),
    };
    const ref = (name: string) => `\${${name}}`;

    it("validates what a reference stands for, and shows the reference", async () => {
      const resolved = await resolveReferences(
        { folder: ref("env:FOLDER"), retries: ref("env:RETRIES") },
        sources,
      );
      expect(problemsOf(resolved)).toEqual([`retries: must be 0 to 10, got ${ref("env:RETRIES")}`]);
    });

    it("reports a reference that leads nowhere with everything else, and nothing else of it", async () => {
      const resolved = await resolveReferences(
        { folder: "/in", retries: ref("env:NONE"), table: "x" },
        sources,
      );
      expect(problemsOf(resolved)).toEqual([
        "retries: the environment variable NONE is not set (set NONE where the connector runs)",
        'table: must be 3 to 20 characters of A-Za-z0-9_-, got "x"',
      ]);
    });

    it("reports each reference of one text that leads nowhere", async () => {
      const nowhere = { env: {}, readFile: () => Promise.reject(new Error("gone")), secrets: {} };
      const two = `\${env:ONE}/\${env:TWO}`;
      const problems = problemsOf(await resolveReferences({ folder: two }, nowhere));
      expect(problems.map((problem) => /variable (\w+)/.exec(problem)?.[1])).toEqual(["ONE", "TWO"]);
    });

    it.each([
      ["x\ny", "contains a line end, "],
      ["x\u0000y", "contains a control character, "],
      ["x y", ""],
    ])("names what cannot be seen in a value that is not shown: %j", async (value, named) => {
      const from = { env: { V: value }, readFile: () => Promise.reject(new Error("gone")), secrets: {} };
      const problems = problemsOf(await resolveReferences({ folder: "/in", table: `\${env:V}` }, from));
      expect(problems).toEqual([`table: ${named}must be 3 to 20 characters of A-Za-z0-9_-, got \${env:V}`]);
    });

    it("takes a sensitive property from the secret of its name, and no other property", async () => {
      const secrets = { login: '{"user":"u","password":"p"}', table: "stolen" };
      const resolved = await resolveReferences({ folder: "/in", login: "not json" }, { ...sources, secrets });
      expect(validConfig(validator.validate(resolved))).toEqual({ ...defaults, login: secrets.login });
      const broken = await resolveReferences({ folder: "/in" }, { ...sources, secrets: { login: "S3CR3T" } });
      expect(problemsOf(broken)[0]).toContain(`login: is not valid JSON, got ${ref("secret:login")}`);
    });
  });

  it.each([
    ["a key that reaches the prototype", JSON.parse('{"folder":"/in","__proto__":{"retries":1}}')],
    ["a constructor", { folder: "/in", constructor: { prototype: {} } }],
    ["too many values", { folder: Array.from({ length: 20_000 }, () => 0) }],
    ["too many characters", { folder: "x".repeat(2_000_000) }],
  ])("refuses %s before it looks any further", (_what, config) => {
    expect(problemsOf(config)).toHaveLength(1);
  });

  it("has an answer to whatever JSON holds, and never throws", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom(...Object.keys(defaults), "login"), fc.string()),
          fc.jsonValue(),
        ),
        (config) => {
          const result = validator.validate(config as Record<string, unknown>);
          expect(result.kind === "valid" || result.problems.length > 0).toBe(true);
        },
      ),
    );
  });

  it("takes a mapping that cannot be told as text for what it is", () => {
    expect(problemsOf({ folder: "/in", order: { toString: 0 } })).toEqual([expect.stringContaining("order")]);
  });

  it("accepts what it has completed, unchanged", () => {
    const values = fc.record(
      {
        folder: fc.constant("/in"),
        order: fc.constantFrom("OLDEST", "NEWEST"),
        retries: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 10 }).map(String)),
        recursive: fc.oneof(fc.boolean(), fc.boolean().map(String)),
        fields: fc.subarray(["name", "size", "owner"]).map((names) => names.join(", ")),
      },
      { requiredKeys: ["folder"] },
    );
    fc.assert(
      fc.property(values, (config) => {
        const first = validConfig(validator.validate(config));
        expect(validConfig(validator.validate(first))).toEqual(first);
      }),
    );
  });

  it("turns a result into its config, or into one error that carries every problem", () => {
    expect(validConfig(validator.validate({ folder: "/in" }))).toEqual(defaults);
    const failed = () => validConfig(validator.validate({ retries: 11 }));
    expect(failed).toThrow(InvalidConfigError);
    expect(failed).toThrow("the config is not valid: 2 problems\n  - folder: is required");
  });

  it("refuses a schema that is none, as the connector's defect", () => {
    // A schema comes from a file of the connector: its type says nothing about it.
    const broken = { type: "objekt" } as unknown as JsonSchema;
    expect(() => new ConfigValidator(broken)).toThrow(ConfigSchemaError);
  });

  it("reads a schema that was written by hand, lists and mappings included", () => {
    const byHand: JsonSchema = {
      type: "object",
      properties: {
        servers: {
          type: "array",
          items: {
            type: "object",
            properties: { host: { type: "string" }, port: { type: "integer" } },
            required: ["host"],
          },
        },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    };
    const check = (config: Record<string, unknown>) => new ConfigValidator(byHand).validate(config);
    expect(check({ servers: [{ host: "a", port: "80" }], labels: { x: "y" } })).toEqual({
      kind: "valid",
      config: { servers: [{ host: "a", port: 80 }], labels: { x: "y" } },
      warnings: [],
    });
    const result = check({ servers: [{ hots: "a", port: "eighty" }] });
    expect(result.kind === "invalid" ? result.problems.map(formatProblem) : []).toEqual([
      "servers[0].hots: is not a known setting (did you mean host?)",
      'servers[0].port: must be an integer, got "eighty" (write digits only, without unit or separator)',
    ]);
  });
});
