import { type SourceRecord, silentLogger } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { tools } from "../src/index.ts";
import { GeneratorHost, options } from "./generator-host.ts";

async function peeked(config: Record<string, unknown>, count: number): Promise<readonly SourceRecord[]> {
  const context = { signal: new AbortController().signal, clock: new TestClock(), logger: silentLogger };
  const records: SourceRecord[] = [];
  for await (const record of tools.peek?.(options(config), count, context) ?? []) records.push(record);
  return records;
}

describe("peek", () => {
  it("shows the first records of a first start, without the pauses between them", async () => {
    const config = { partitions: 3, template: "{{sequence}} {{text 5}}", recordsPerSecond: 0.1 };
    const host = await GeneratorHost.open({ ...config, recordsPerSecond: 0 });
    const shown = ({ value, key, properties }: SourceRecord) => ({ value, key, properties });
    expect((await peeked(config, 7)).map(shown)).toEqual((await host.read(7)).map(shown));
  });

  it("shows no more than there are", async () => {
    expect(await peeked({ count: 2 }, 7)).toHaveLength(2);
  });
});
