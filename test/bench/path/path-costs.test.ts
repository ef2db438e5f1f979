import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { PathCosts, PathCounts } from "./path-costs.ts";

/**
 * Most that a record of 1 KiB may cost on its way through the process. Lower them when the path gets cheaper.
 *
 * Measured: 2,900 to 3,290 bytes on the heap, 2,462 outside of it, 2.7 to 2.8 promises, 4.9 to 6.8 turns of the reference loop at load
 * averages of 13 to 20.
 */
const limits: PathCosts = { heapBytes: 3_800, offHeapBytes: 3_000, promises: 3.3, cpuToReference: 10 };
const counts: PathCounts = { warmUp: 15_000, records: 500, timedRecords: 2_000, measurements: 7 };
const fewer: PathCounts = { ...counts, measurements: 3 };
const withinMs = 300_000;

const program = fileURLToPath(new URL("costs-process.ts", import.meta.url));
const flags = ["--expose-gc", "--min-semi-space-size=128", "--max-semi-space-size=128"];

async function costsOf(howMany: PathCounts, ...defect: readonly string[]): Promise<PathCosts> {
  const source = ["--import", "tsx", "--conditions=@pulsar-ts-io/source"];
  const args = [...flags, ...source, program, JSON.stringify(howMany), ...defect];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as PathCosts; // the program's one line
}

/** Names of what costs more than it may. */
function excesses(costs: PathCosts): readonly string[] {
  const names = Object.keys(limits) as (keyof PathCosts)[]; // its own keys
  return names.filter((name) => !(costs[name] <= limits[name]));
}

describe("what a record costs on its way through the process", () => {
  it(
    "stays within the limits of allocations, promises and CPU time beside a reference loop",
    async () => {
      const costs = await costsOf(counts);
      expect(excesses(costs), JSON.stringify(costs)).toEqual([]);
    },
    withinMs,
  );

  it.each([
    ["a copy of each payload", "copy", "offHeapBytes"],
    ["a JSON decode of each payload", "json", "heapBytes"],
    ["a pass over the bytes of each payload", "pass", "cpuToReference"],
    ["one more promise for each record", "promise", "promises"],
  ])(
    "is beyond a limit with %s",
    async (_what, defect, name) => {
      const costs = await costsOf(fewer, defect);
      expect(excesses(costs), JSON.stringify(costs)).toContain(name);
    },
    withinMs,
  );
});
