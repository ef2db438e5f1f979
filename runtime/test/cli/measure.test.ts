import { systemClock } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { measure } from "../../src/cli/measure.ts";

async function valuesOf(name: string, maxMemoryBytes: number | undefined): Promise<readonly unknown[]> {
  const families = await measure(true, systemClock, maxMemoryBytes).metrics.families();
  return families.filter((family) => family.name === name).flatMap(({ samples }) => samples);
}

describe("what is measured of an instance's process", () => {
  it("has the memory it may have beside the memory it has", async () => {
    expect(await valuesOf("pulsar_ts_io_max_memory_bytes", 480)).toMatchObject([{ value: 480 }]);
    expect(await valuesOf("process_resident_memory_bytes", 480)).toHaveLength(1);
  });

  it("has no limit of memory where none is set", async () => {
    expect(await valuesOf("pulsar_ts_io_max_memory_bytes", undefined)).toEqual([]);
  });

  it("is nothing when nobody looks", async () => {
    expect(await measure(false, systemClock, 480).metrics.families()).toEqual([]);
  });
});
