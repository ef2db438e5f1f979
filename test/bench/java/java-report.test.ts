import { describe, expect, it } from "vitest";
import { documentOf } from "../document.ts";
import type { JavaBenchOptions } from "./java-options.ts";
import {
  excesses,
  type JavaRound,
  javaRatios,
  javaRound,
  type MeasuredConnector,
  table,
} from "./java-report.ts";

const options: JavaBenchOptions = {
  records: 1_000,
  sizeBytes: 64,
  rounds: 3,
  receiveQueueSize: 1_000,
  fanOut: false,
  check: true,
  json: false,
  outFile: undefined,
  saveFolder: undefined,
  name: undefined,
  anyLoad: false,
};
const java = { connector: "the connector", jvmFlags: ["-Xmx512m"] };

function connector(
  cpuMicrosPerRecord: number,
  peakResidentMegabytes: number,
  otherCores = 0,
): MeasuredConnector {
  const laterCpuMicrosPerRecord = cpuMicrosPerRecord / 2;
  const figures = {
    cpuMicrosPerRecord,
    laterCpuMicrosPerRecord,
    peakResidentMegabytes,
    startCpuSeconds: 1,
    startSeconds: 2,
  };
  return { figures, series: {}, load: { loadAverage: 1, otherCores } };
}

function reportOf(...rounds: readonly JavaRound[]) {
  const measurement = { rounds: rounds.map(javaRound), ratios: javaRatios, details: java };
  return documentOf(measurement, {
    benchmark: "java",
    name: "java",
    options: {},
    anyLoad: false,
    machine: { node: "v20.0.0", platform: "linux x64", cores: 2, cpu: "any" },
    tool: { version: "0.0.0", commit: "unknown", changed: false },
  });
}

describe("the report of bench java", () => {
  it("holds ours against Java's of the same round, and takes the median of that", () => {
    const { figures } = reportOf(
      { ours: connector(10, 100), java: connector(100, 1_000) },
      { ours: connector(60, 100), java: connector(200, 500) },
      { ours: connector(20, 100), java: connector(40, 400) },
    );
    expect(figures).toMatchObject({
      "ours.cpuMicrosPerRecord": { median: 20, min: 10, max: 60 },
      "java.cpuMicrosPerRecord": { median: 100, min: 40, max: 200 },
      "ratio.cpuMicrosPerRecord": { median: 0.3, min: 0.1, max: 0.5 },
      "ratio.peakResidentMegabytes": { median: 0.2, min: 0.1, max: 0.25 },
    });
  });

  it("shows a line for each figure: ours, Java's and the ratio, each with its spread", () => {
    const text = table(
      reportOf(
        { ours: connector(10, 100), java: connector(100, 400) },
        { ours: connector(30, 100), java: connector(100, 400) },
      ),
      options,
    );
    expect(text).toContain("1000 records of 64 bytes, 4 shards, by polling, 2 rounds");
    expect(text).toContain("java: the connector");
    const cells = text.split("\n").map((line) => line.trim().split(/ {2,}/));
    expect(cells).toContainEqual([
      "CPU, µs a record",
      "20.0",
      "10.0 … 30.0",
      "100.0",
      "100.0 … 100.0",
      "0.20",
      "0.10 … 0.30",
    ]);
    expect(cells).toContainEqual([
      "the same, second half",
      "10.0",
      "5.0 … 15.0",
      "50.0",
      "50.0 … 50.0",
      "0.20",
      "0.10 … 0.30",
    ]);
    expect(cells).toContainEqual([
      "peak RSS, MB",
      "100",
      "100 … 100",
      "400",
      "400 … 400",
      "0.25",
      "0.25 … 0.25",
    ]);
    expect(text).toMatch(/CPU until the first record, s/);
    expect(text).toMatch(/time to the first record, s/);
  });

  it("has no complaint about half of Java's CPU time and memory", () => {
    expect(excesses(reportOf({ ours: connector(50, 200), java: connector(100, 400) }))).toEqual([]);
  });

  it("complains of more than half, of each by itself", () => {
    const dear = reportOf({ ours: connector(51, 200), java: connector(100, 400) });
    expect(excesses(dear)).toEqual(["ours needs 0.51 of Java's CPU time a record, at most 0.5 is allowed"]);
    const fat = reportOf({ ours: connector(50, 204), java: connector(100, 400) });
    expect(excesses(fat)).toEqual(["ours needs 0.51 of Java's memory, at most 0.5 is allowed"]);
  });

  it("complains of a ratio that is none", () => {
    expect(excesses(reportOf({ ours: connector(0, 200), java: connector(0, 400) }))).toHaveLength(1);
  });

  it("shows both and no ratio when other work disturbed one of them alone", () => {
    const document = reportOf({ ours: connector(10, 100), java: connector(100, 400, 1.2) });
    expect(document.load.refused).toContain("other work took 0.00 to 1.20 of 2 cores");
    const cells = table(document, options)
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/));
    expect(cells).toContainEqual(["CPU, µs a record", "10.0", "10.0 … 10.0", "100.0", "100.0 … 100.0", "-"]);
    expect(excesses(document)).toEqual([]);
  });

  it("is not made of nothing", () => {
    expect(() => reportOf()).toThrow("no round was measured");
  });
});
