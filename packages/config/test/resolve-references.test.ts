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
