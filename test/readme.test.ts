import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "docs/exit-codes.md",
  "docs/guarantees.md",
  "docs/observability.md",
  "docs/verification.md",
  "docs/benchmarks.md",
  "docs/performance.md",
  "docs/performance/earlier.md",
  "docs/writing-connectors.md",
  "test/examples/file-tail/README.md",
  ...[
    "runtime",
    "connectors/data-generator",
    "connectors/kinesis",
    ...["core", "config", "kinesis-consumer", "pulsar", "testkit"].map((name) => `packages/${name}`),
  ].map((folder) => `${folder}/README.md`),
];

interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe("the README", () => {
  const schema: Schema = JSON.parse(readFileSync(join(root, "schemas/kinesis-source.schema.json"), "utf8"));
  const rows = readFileSync(join(root, "README.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| `\w+` \|/.test(line))
    .map((line) =>
      line
        .split("|")
        .slice(1, 6)
        .map((cell) => cell.trim().replaceAll("`", "")),
    );

  it("lists every setting of the Kinesis source as its property table does", () => {
    const expected = Object.entries(schema.properties).map(([name, property]) => [
      name,
      String(property["x-type"]),
      String(schema.required.includes(name)),
      String(property["x-sensitive"] === true),
      String(property["default"] ?? ""),
    ]);
    expect(rows).toEqual(expected);
  });
});

describe("what the README promises", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );

  it("says how to install from a clone, with scripts that exist, before its first npx command", () => {
    const install = readme.indexOf("\n## Install it\n");
    const section = readme.slice(install, readme.indexOf("\n## ", install + 1));
    const used = [...section.matchAll(/^npm run (\w+)/gm)].map(([, script = ""]) => script);
    expect(used).toEqual(["setup", "build"]);
    expect(used.filter((script) => scripts[script] === undefined)).toEqual([]);
    expect(section).toContain("once published");
    expect(readme.search(/^npx pulsar-ts-io/m)).toBeGreaterThan(install);
  });

  it("says beside its promise that nothing is lost what a topic without subscription or retention keeps", () => {
    const [promise = ""] = /^- \*\*No record is lost[\s\S]*?(?=^- \*\*)/m.exec(readme) ?? [];
    expect(promise).toMatch(/without a subscription or a \[retention policy\]/);
  });

  it("claims no less CPU time than Java's connector", () => {
    expect(readme).not.toMatch(/less CPU\.|of its CPU time/);
    expect(readme).toContain("It does not need less\n  CPU");
  });
});

describe("the documentation", () => {
  it.each(pages)("has no dead link in %s", (page) => {
    const text = readFileSync(join(root, page), "utf8");
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
    expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });
});
