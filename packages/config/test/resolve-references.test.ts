import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ReferenceSources, resolveReferences } from "../src/index.ts";

/** `${name}`, as a user writes it. */
const ref = (name: string) => `\${${name}}`;

const sources: ReferenceSources = {
  env: { KEY: "from env", EMPTY: "" },
  readFile: (path) =>
    path === "/run/token"
      ? Promise.resolve("from file\n")
      : Promise.reject(Object.assign(new Error(), { code: "ENOENT" })),
  secrets: { PASSWORD: "from secrets" },
};

describe("resolveReferences", () => {
  it.each([
    [ref("env:KEY"), "from env"],
    [ref("env:EMPTY"), ""],
    [ref("file:/run/token"), "from file"],
    [ref("secret:PASSWORD"), "from secrets"],
    [ref("PASSWORD"), "from secrets"],
    [`a ${ref("env:KEY")} b ${ref("file:/run/token")}`, "a from env b from file"],
    [`$${ref("env:KEY")}`, ref("env:KEY")],
    [ref("OTHER"), ref("OTHER")],
    [`x${ref("PASSWORD")}`, `x${ref("PASSWORD")}`],
    [ref("toString"), ref("toString")],
    ["plain", "plain"],
  ])("turns %s into %s", async (text, resolved) => {
    expect((await resolveReferences({ a: text }, sources)).values).toEqual({ a: resolved });
  });

  it.each(["env:X", "file:/x", "secret:X", "X"])(
    "drops one line end at the end of what %s stands for",
    async (name) => {
      for (const [value, kept] of [
        ["v\n", "v"],
        ["v\r\n", "v"],
        ["v\n\n", "v\n"],
        ["v \n", "v "],
        ["\nv", "\nv"],
      ] as const) {
        const from = { env: { X: value }, readFile: () => Promise.resolve(value), secrets: { X: value } };
        expect((await resolveReferences({ a: ref(name) }, from)).values).toEqual({ a: kept });
      }
    },
  );

  it("keeps a text that is JSON valid, whatever a reference in it stands for", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (value) => {
        const from = { ...sources, env: { S: value } };
        const text = `{"key": "k", "secretKey": "${ref("env:S")}", "list": ["a ${ref("env:S")}"]}`;
        const { values } = await resolveReferences({ a: text }, from);
        const put = value.replace(/\r?\n$/, "");
        expect(JSON.parse(String(values["a"]))).toEqual({ key: "k", secretKey: put, list: [`a ${put}`] });
      }),
    );
  });

  it("puts a value in as it is where the text is no JSON, as for a JSON text that is a reference as a whole", async () => {
    const from = { ...sources, env: { S: '{"a": 1}' } };
    expect((await resolveReferences({ a: ref("env:S"), b: `{"x": ${ref("env:S")}}` }, from)).values).toEqual({
      a: '{"a": 1}',
      b: '{"x": {"a": 1}}',
    });
  });

  it.each([
    ["ENV:KEY", `write the kind in lower case: ${ref("env:KEY")}`],
    ["File:/run/token", `write the kind in lower case: ${ref("file:/run/token")}`],
    ["Secret:PASSWORD", `write the kind in lower case: ${ref("secret:PASSWORD")}`],
  ])("reports %s as a mistake", async (name, remedy) => {
    const { problems } = await resolveReferences({ a: `x ${ref(name)}` }, sources);
    expect(problems).toEqual([
      { path: "a", message: `${ref(`${name.split(":")[0]}:…`)} is not a reference`, remedy },
    ]);
  });

  it("warns of a name alone that no secret has, and of no other", async () => {
    const { warnings } = await resolveReferences(
      {
        a: ref("HOME"),
        b: `x ${ref("KEY")}`,
        c: ref("PASSWORD"),
        d: `$${ref("HOME")}`,
        e: ref("a b"),
        f: "$HOME",
      },
      sources,
    );
    expect(warnings.map(({ path }) => path)).toEqual(["a", "b"]);
    expect(warnings[0]?.remedy).toBe(
      `write ${ref("env:HOME")} for an environment variable, ${ref("secret:HOME")} for a secret`,
    );
  });

  it("looks into mappings and lists, and leaves everything else alone", async () => {
    const { values, references, problems } = await resolveReferences(
      { a: { b: [ref("env:KEY"), 7, null, true] }, "odd key": ref("env:KEY") },
      sources,
    );
    expect(values).toEqual({ a: { b: ["from env", 7, null, true] }, "odd key": "from env" });
    expect([...references]).toEqual([
      ["a.b[0]", ref("env:KEY")],
      ['["odd key"]', ref("env:KEY")],
    ]);
    expect(problems).toEqual([]);
  });

  it("remembers the references of a text, and not what stands beside them", async () => {
    const { references } = await resolveReferences(
      { a: `S3CR3T ${ref("env:KEY")} ${ref("file:/run/token")}` },
      sources,
    );
    expect(references.get("a")).toBe(`${ref("env:KEY")} ${ref("file:/run/token")}`);
  });

  it("reports every reference that leads nowhere, and what to do", async () => {
    const { problems } = await resolveReferences(
      { a: ref("env:NONE"), b: [ref("file:/none")], c: ref("secret:NONE"), d: ref("env:toString") },
      sources,
    );
    expect(problems).toEqual([
      {
        path: "a",
        message: "the environment variable NONE is not set",
        remedy: "set NONE where the connector runs",
      },
      {
        path: "b[0]",
        message: "the file /none cannot be read (ENOENT)",
        remedy: "check its path and its permissions",
      },
      { path: "c", message: "there is no secret named NONE", remedy: "add NONE to the secrets map" },
      {
        path: "d",
        message: "the environment variable toString is not set",
        remedy: "set toString where the connector runs",
      },
    ]);
  });

  it("never looks again at what it put in", async () => {
    const env = { A: ref("env:B"), B: "x" };
    expect((await resolveReferences({ a: ref("env:A") }, { ...sources, env })).values).toEqual({
      a: ref("env:B"),
    });
  });

  it("leaves a config without references as it is", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string().filter((key) => !["__proto__", "constructor", "prototype"].includes(key)),
          fc.oneof(
            fc.integer(),
            fc.boolean(),
            fc.string().filter((text) => !text.includes("$")),
          ),
        ),
        async (config) => {
          expect((await resolveReferences(config, sources)).values).toEqual({ ...config });
        },
      ),
    );
  });

  it("refuses a config that is made to pollute prototypes, nested without end, or huge", async () => {
    const polluted: Record<string, unknown> = JSON.parse('{"a": {"__proto__": {"polluted": true}}}');
    let deep: Record<string, unknown> = {};
    for (let depth = 0; depth < 50; depth++) deep = { deep };
    const huge = { a: Array.from({ length: 20_000 }, () => 1) };
    for (const config of [polluted, deep, huge]) {
      const { values, problems } = await resolveReferences(config, sources);
      expect(values).toEqual({});
      expect(problems).toHaveLength(1);
    }
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });
});
