import { spawnSync } from "node:child_process";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { busyCpuSeconds, familyCpuSecondsSoFar } from "../harness/process-usage.ts";
import { documentOf, type Measurement } from "./document.ts";
import { judgeLoad } from "./load.ts";

const two = { cores: 2, anyLoad: false };
const loads = (...otherCores: readonly number[]) =>
  otherCores.map((one) => ({ loadAverage: 1, otherCores: one }));

describe("the judgement of load", () => {
  it("compares rounds of a quiet machine, and says that it was quiet", () => {
    expect(judgeLoad(loads(0.02, 0.2, 0.1), two)).toEqual({
      machine: "quiet",
      otherCores: { min: 0.02, max: 0.2 },
      refused: null,
      overridden: false,
    });
  });

  it("compares rounds that were disturbed to the same degree, and says that the machine was busy", () => {
    expect(judgeLoad(loads(1.2, 1.4, 1.3), two)).toMatchObject({ machine: "busy", refused: null });
  });

  it("refuses to compare rounds that were disturbed in different degrees", () => {
    expect(judgeLoad(loads(0.1, 0.5), two).refused).toBe(
      "other work took 0.10 to 0.50 of 2 cores, and at most 0.30 may be between two rounds",
    );
  });

  it("allows more on a machine with more cores", () => {
    expect(judgeLoad(loads(0.1, 0.5), { cores: 8, anyLoad: false }).refused).toBeNull();
  });

  it("does not count the benchmark's own load average", () => {
    const own = [0.1, 4].map((loadAverage) => ({ loadAverage, otherCores: 0.1 }));
    expect(judgeLoad(own, two)).toMatchObject({ machine: "quiet", refused: null });
  });

  it("compares them all the same with --any-load, and notes it", () => {
    const verdict = judgeLoad(loads(0.1, 1.5), { cores: 2, anyLoad: true });
    expect(verdict).toMatchObject({ machine: "busy", refused: null, overridden: true });
  });
});

describe("the document of a benchmark", () => {
  const measurement = (...otherCores: readonly number[]): Measurement<"ours" | "theirs"> => ({
    rounds: otherCores.map((one, index) => ({
      loads: { ours: { loadAverage: 1, otherCores: one } },
      values: { ours: 1 + index, theirs: 4 },
    })),
    ratios: { oursToTheirs: ["ours", "theirs"] },
  });
  const circumstances = {
    benchmark: "any",
    name: "any",
    options: {},
    anyLoad: false,
    machine: { node: "v20.0.0", platform: "linux x64", cores: 2, cpu: "any" },
    tool: { version: "0.0.0", commit: "unknown", changed: false },
  };

  it("has the ratio of the values of each round", () => {
    const { figures } = documentOf(measurement(0, 0, 0), circumstances);
    expect(figures["oursToTheirs"]).toEqual({ median: 0.5, min: 0.25, max: 0.75 });
  });

  it("has the values and no ratio when the rounds cannot be compared", () => {
    const { figures, rounds, load } = documentOf(measurement(0, 1), circumstances);
    expect(load.refused).not.toBeNull();
    expect(figures).toEqual({
      ours: { median: 1.5, min: 1, max: 2 },
      theirs: { median: 4, min: 4, max: 4 },
    });
    expect(rounds).toHaveLength(2);
  });
});

describe.runIf(process.platform === "linux")(
  "the CPU time of the machine and of a family of processes",
  () => {
    it("contains what a child used that has ended", async () => {
      const before = await familyCpuSecondsSoFar(process.pid);
      const machineBefore = await busyCpuSeconds();
      const burn = "const start = process.cpuUsage(); while (process.cpuUsage(start).user < 150_000);";
      spawnSync(process.execPath, ["-e", burn]);
      expect((await familyCpuSecondsSoFar(process.pid)) - before).toBeGreaterThan(0.35);
      expect((await busyCpuSeconds()) - machineBefore).toBeGreaterThan(0.35);
    });
  },
);
