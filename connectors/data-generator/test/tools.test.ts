import { silentLogger } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { tools } from "../src/index.ts";
import { essence, GeneratorHost, options } from "./generator-host.ts";

async function peeked(config: Record<string, unknown>, count: number): Promise<readonly unknown[]> {
  const context = { signal: new AbortController().signal, clock: new TestClock(), logger: silentLogger };
  const records: unknown[] = [];
  for await (const record of tools.peek?.(options(config), count, context) ?? [])
    records.push(essence(record));
  return records;
}

describe("peek", () => {
  it("shows the first records of a first start, without the pauses between them", async () => {
    const config = { partitions: 3, template: "{{sequence}} {{text 5}}", recordsPerSecond: 0.1 };
    const host = await GeneratorHost.open({ ...config, recordsPerSecond: 0 });
    expect(await peeked(config, 7)).toEqual((await host.read(7)).map(essence));
  });

  it("shows no more than there are", async () => {
    expect(await peeked({ count: 2 }, 7)).toHaveLength(2);
  });
});
