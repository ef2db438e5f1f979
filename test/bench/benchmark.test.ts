import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BenchDocument } from "./document.ts";

const program = fileURLToPath(new URL("two-rounds.ts", import.meta.url));
const { length: cores } = cpus();
const [little, much] = [0.01 * cores, 0.5 * cores];
const withinMs = 120_000;

function run(...args: readonly string[]) {
  const source = ["--import", "tsx", "--conditions=@pulsar-ts-io/source"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...source, program, ...args], {
    encoding: "utf8",
  });
  const cells = stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  return { status, stdout, stderr, cells };
}

describe("a benchmark", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "benchmark-"));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it(
    "prints the rounds and no ratio, and ends with 3, when other work disturbed one part alone",
    () => {
      const { status, stdout, stderr, cells } = run(`${little},${much}`);
      expect(cells).toContainEqual(["ours", "10.0", "10.0 … 10.0"]);
      expect(cells).toContainEqual(["ours : theirs", "-"]);
      expect(stdout).toContain("load average before each round 0.5, 2.5");
      expect(stderr).toContain("the rounds were not compared: other work took");
      expect(stderr).toContain("run it on a quiet machine, or with --any-load");
      expect(status).toBe(3);
    },
    withinMs,
  );

  it(
    "prints the ratio and ends with 0 when both parts had the machine to themselves, and with --any-load",
    () => {
      const quiet = run(`${little},${little}`);
      expect(quiet.cells).toContainEqual(["ours : theirs", "0.25", "0.25 … 0.25"]);
      expect(quiet.status).toBe(0);
      const overridden = run(`${little},${much}`, "--any-load");
      expect(overridden.cells).toContainEqual(["ours : theirs", "0.25", "0.25 … 0.25"]);
      expect(overridden.status).toBe(0);
    },
    withinMs,
  );

  it(
    "saves one document with build, machine, load, options, rounds and figures",
    () => {
      const { status, stdout } = run(`${little},${little}`, "--json", "--save", folder, "--name", "one");
      const saved = readFileSync(join(folder, "one.json"), "utf8");
      expect(stdout).toBe(saved);
      const document = JSON.parse(saved) as BenchDocument; // what the benchmark wrote
      expect(document).toMatchObject({
        format: 1,
        benchmark: "two-rounds",
        name: "one",
        tool: { version: expect.stringMatching(/^\d+\.\d+\.\d+/), changed: expect.any(Boolean) },
        machine: { node: process.version, cores },
        load: { machine: "quiet", refused: null, overridden: false },
        options: { otherCores: [little, little] },
        rounds: [{ loads: { ours: { loadAverage: 0.5 } }, values: { ours: 10, theirs: 40 } }],
        figures: { oursToTheirs: { median: 0.25, min: 0.25, max: 0.25 } },
      });
      expect(document.tool.commit).toMatch(/^([0-9a-f]{9,}|unknown)$/);
      expect(Date.parse(document.at)).toBeGreaterThan(0);
      expect(status).toBe(0);
    },
    withinMs,
  );
});
