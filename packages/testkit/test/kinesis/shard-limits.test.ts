import { describe, expect, it } from "vitest";
import { ServiceError } from "../../src/index.ts";
import { ShardLimits } from "../../src/kinesis/shard-limits.ts";

const mib = 1_048_576;

function reads(limits: ShardLimits, nowMs: number, bytes = 0, shard = "a"): boolean {
  try {
    limits.beforeRead(shard, "shard", nowMs);
  } catch (error) {
    if (error instanceof ServiceError) return false;
    throw error;
  }
  limits.afterRead(shard, bytes, nowMs);
  return true;
}

describe("ShardLimits", () => {
  it("lets five reads of a shard through in a second", () => {
    const limits = new ShardLimits();
    limits.enforceReads = true;
    expect([0, 1, 2, 3, 4, 5].map((ms) => reads(limits, ms))).toEqual([true, true, true, true, true, false]);
    expect([reads(limits, 6, 0, "another"), reads(limits, 1_000)]).toEqual([true, true]);
  });

  it("lets two mebibytes through in a second, and after a larger answer nothing for as long as it is worth", () => {
    const limits = new ShardLimits();
    limits.enforceReads = true;
    expect([reads(limits, 0, 2 * mib), reads(limits, 999), reads(limits, 1_000)]).toEqual([
      true,
      false,
      true,
    ]);
    expect(reads(limits, 2_000, 10 * mib)).toBe(true);
    expect([reads(limits, 6_999), reads(limits, 8_000)]).toEqual([false, true]);
  });

  it("takes a thousand records and a mebibyte in a second", () => {
    const limits = new ShardLimits();
    limits.enforceWrites = true;
    const taken = Array.from({ length: 1_001 }, () => limits.mayWrite("a", 1, 0));
    expect([taken.filter(Boolean).length, taken.at(-1)]).toEqual([1_000, false]);
    expect([limits.mayWrite("a", mib, 1_000), limits.mayWrite("a", 1, 1_001)]).toEqual([true, false]);
  });

  it("limits nothing until it is asked to", () => {
    const limits = new ShardLimits();
    expect(Array.from({ length: 50 }, () => reads(limits, 0, mib)).every(Boolean)).toBe(true);
    expect(limits.mayWrite("a", 100 * mib, 0)).toBe(true);
  });
});
