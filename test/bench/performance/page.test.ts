import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type BenchDocument, documentOf } from "../document.ts";
import { fileOf, plan } from "../plan.ts";
import { Documents } from "./documents.ts";
import { performancePage } from "./page.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const docs = join(root, "docs");

function java(otherCores: { readonly ours: number; readonly java: number }): BenchDocument {
  const load = (one: number) => ({ loadAverage: 0.3, otherCores: one });
  const names = ["cpuMicrosPerRecord", "laterCpuMicrosPerRecord"] as const;
  const values = Object.fromEntries(
    names.flatMap((name) => [
      [`ours.${name}`, 12],
      [`java.${name}`, 24],
    ]),
  );
  const series = {
    "ours.cpuMicrosPerRecord": [[1_000, 30] as const, [2_000, 12] as const],
    "java.cpuMicrosPerRecord": [[1_000, 90] as const, [2_000, 24] as const],
  };
  const ratios: Readonly<Record<string, readonly [string, string]>> = Object.fromEntries(
    names.map((name) => [`ratio.${name}`, [`ours.${name}`, `java.${name}`] as const]),
  );
  return documentOf<string>(
    {
      rounds: [{ loads: { ours: load(otherCores.ours), java: load(otherCores.java) }, values, series }],
      ratios,
    },
    {
      benchmark: "java",
      name: "java-polling",
      options: { records: 1_000_000 },
      anyLoad: false,
      machine: { node: "v20.0.0", platform: "linux x64", cores: 2, cpu: "any" },
      tool: { version: "1.2.3", commit: "abc", changed: false },
    },
  );
}

function rowsOf(page: string): readonly (readonly string[])[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("docs/performance.md", () => {
  it("is what npm run bench -- report makes of the documents in docs/performance", () => {
    const { markdown, plots } = performancePage(Documents.read(join(docs, "performance")));
    expect(readFileSync(join(docs, "performance.md"), "utf8")).toBe(markdown);
    const files = readdirSync(join(docs, "performance")).filter((name) => name.endsWith(".svg"));
    expect([...files].sort()).toEqual([...plots.keys()].sort());
    for (const [name, plot] of plots)
      expect(readFileSync(join(docs, "performance", name), "utf8"), name).toBe(plot);
  });

  it("has no document that the plan does not have", () => {
    const names = readdirSync(join(docs, "performance"))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
    const planned = new Set(plan.map(({ name }) => name));
    expect(names.filter((name) => !planned.has(name))).toEqual([]);
  });
});

describe("the performance page", () => {
  it("says of everything that was not measured that it was not, and shows no zero", () => {
    const { markdown, plots } = performancePage(new Documents([]));
    const cells = rowsOf(markdown).flatMap((row) => row.slice(1));
    expect(cells).toContain("not measured");
    expect(cells.filter((cell) => /^0([.,]0*)?$|NaN|undefined/.test(cell))).toEqual([]);
    expect(markdown).toContain("- `java-polling`: not measured.");
    expect(plots.size).toBe(0);
  });

  it("shows figures of a quiet machine with the length of the run, and a plot of each series", () => {
    const { markdown, plots } = performancePage(new Documents([java({ ours: 0.05, java: 0.1 })]));
    expect(rowsOf(markdown)).toContainEqual(["the same, second half of the records", "12.0", "24.0", "0.50"]);
    expect(markdown).toContain("By polling: 1,000,000 records, 1 round, a quiet machine.");
    expect([...plots.keys()]).toEqual(["run-length.svg"]);
    const plot = plots.get("run-length.svg");
    expect(plot).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(plot).toContain(">ours</text>");
    expect(plot).toContain("</svg>");
  });

  it("shows no figure of a busy machine, and says why", () => {
    const { markdown } = performancePage(new Documents([java({ ours: 0.9, java: 0.9 })]));
    expect(rowsOf(markdown)).not.toContainEqual(expect.arrayContaining(["12.0"]));
    expect(markdown).toContain("other work took 0.90 to 0.90 cores; **not measured on a quiet machine");
  });

  it("shows no ratio that the benchmark refused", () => {
    const quiet = java({ ours: 0, java: 0.1 });
    const refused = { ...quiet, load: { ...quiet.load, refused: "other work" } };
    expect(rowsOf(performancePage(new Documents([refused])).markdown)).toContainEqual([
      "the same, second half of the records",
      "12.0",
      "24.0",
      "not compared",
    ]);
  });
});

describe("the plan of npm run bench -- all", () => {
  it("takes 40 minutes at most", () => {
    expect(plan.reduce((sum, { minutes }) => sum + minutes, 0)).toBeLessThanOrEqual(40);
  });

  it("has each name once, and only benchmarks that exist", () => {
    expect(new Set(plan.map(({ name }) => name)).size).toBe(plan.length);
    expect(plan.filter((run) => !existsSync(join(root, fileOf(run))))).toEqual([]);
  });
});
