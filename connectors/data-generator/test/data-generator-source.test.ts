import { describe, expect, it } from "vitest";
import { DataGeneratorSource } from "../src/index.ts";
import { essence, GeneratorHost, type HostOptions, MemoryState, textOf } from "./generator-host.ts";

const timeless = { template: "{{sequence}} {{key}} {{integer 1 1000000}}" };

describe("DataGeneratorSource", () => {
  it("makes JSON without being told anything", async () => {
    const host = await GeneratorHost.open({});
    const [record] = await host.read(1);
    expect(JSON.parse(record === undefined ? "" : textOf(record))).toEqual({
      partition: 0,
      sequence: 0,
      key: record?.key,
      time: "2026-01-01T00:00:00.000Z",
      value: expect.any(Number),
    });
    expect(record).toMatchObject({
      key: expect.stringMatching(/^key-\d$/),
      properties: { "generator.partition": "0", "generator.sequence": "0" },
      eventTime: Date.UTC(2026, 0, 1),
    });
  });

  it("numbers the records of each partition from 0, and goes round the partitions", async () => {
    const host = await GeneratorHost.open({ partitions: 2 });
    const places = (await host.read(5)).map(({ partitionId, recordSequence }) => [
      partitionId?.replace(/^.*\//, ""),
      recordSequence,
    ]);
    expect(places).toEqual([
      ["partition-0", 0n],
      ["partition-1", 0n],
      ["partition-0", 1n],
      ["partition-1", 1n],
      ["partition-0", 2n],
    ]);
  });

  it("makes the same data for the same seed, and other data for another", async () => {
    const records = async (seed: number) =>
      (await (await GeneratorHost.open({ ...timeless, seed })).read(20)).map(essence);
    expect(await records(7)).toEqual(await records(7));
    expect(await records(7)).not.toEqual(await records(8));
  });

  it("numbers alike what is alike, and nothing else: Pulsar would take it for a repetition", async () => {
    const idOf = async (config: Record<string, unknown>, host: HostOptions = {}) =>
      (await (await GeneratorHost.open(config, host)).read(1))[0]?.partitionId;
    const usual = await idOf({});
    expect(usual).toMatch(/^public\/default\/data-generator\/[0-9a-f]{12}\/partition-0$/);
    expect(await idOf({ recordsPerSecond: 5, count: 7, partitions: 3 })).toBe(usual);
    const others = [{ seed: 2 }, { keys: 3 }, { size: 9 }, { template: "{{sequence}}" }];
    const ids = await Promise.all(others.map((config) => idOf(config)));
    const another = await idOf({}, { sourceName: "another" });
    expect(new Set([usual, another, ...ids]).size).toBe(6);
  });

  it("makes as many random bytes as asked for", async () => {
    const host = await GeneratorHost.open({ size: 1_001 });
    const [first, second] = await host.read(2);
    expect(first?.value.length).toBe(1_001);
    expect(new Set(first?.value).size).toBeGreaterThan(200);
    expect(second?.value).not.toEqual(first?.value);
  });

  it("uses every key, and no other", async () => {
    const host = await GeneratorHost.open({ keys: 3 });
    const keys = (await host.read(100)).map(({ key }) => key);
    expect([...new Set(keys)].sort()).toEqual(["key-0", "key-1", "key-2"]);
    const without = await GeneratorHost.open({ keys: 0, template: "<{{key}}>" });
    const [record] = await without.read(1);
    expect(record?.key).toBeUndefined();
    expect(record === undefined ? "" : textOf(record)).toBe("<>");
  });

  it.each([0.5, 3, 1_000, 20_000])("makes %d records a second, and no more", async (recordsPerSecond) => {
    const host = await GeneratorHost.open({ recordsPerSecond });
    let made = 0;
    const reading = (async () => {
      for (;;) {
        await host.source.read();
        made += 1;
      }
    })().catch(() => undefined);
    await host.clock.advance(2_000);
    expect(made).toBe(Math.floor(recordsPerSecond * 2) + 1);
    host.stopReading();
    await reading;
  });

  it("makes up for a second of a pause, and not for all of it", async () => {
    const host = await GeneratorHost.open({ recordsPerSecond: 100 });
    await host.read(1);
    await host.clock.advance(60_000);
    await host.read(101);
    const next = host.source.read();
    expect(host.clock.sleepers).toBe(1);
    host.stopReading();
    await expect(next).rejects.toThrow("stop");
  });

  it("is idle when all records were made, says so once, and still stops at once", async () => {
    const host = await GeneratorHost.open({ count: 3, partitions: 2 });
    await host.read(3);
    expect(host.logger.messages("info")).toEqual(["all records made, idle until stopped"]);
    const next = host.source.read();
    host.stopReading();
    await expect(next).rejects.toThrow("stop");
    await expect(host.source.read()).rejects.toThrow("stop");
  });

  it("shares partitions and records between instances", async () => {
    const count = 11;
    const places: unknown[] = [];
    for (const [instanceId, own] of [7, 4].entries()) {
      const host = await GeneratorHost.open({ partitions: 3, count }, { instanceId, numInstances: 2 });
      for (const { partitionId, recordSequence } of await host.read(own)) {
        places.push(`${partitionId} ${recordSequence}`);
      }
      expect(host.source.status().every(({ activity }) => activity === "idle")).toBe(true);
    }
    expect(new Set(places).size).toBe(count);
  });

  it("gives an instance without a partition a warning, and nothing to read", async () => {
    const host = await GeneratorHost.open({}, { instanceId: 1, numInstances: 2 });
    expect(host.logger.messages("warn")).toEqual(["no partition for this instance"]);
    const read = host.source.read();
    host.stopReading();
    await expect(read).rejects.toThrow("stop");
  });

  it("refuses a template it cannot fill in, naming placeholder and remedy", async () => {
    await expect(GeneratorHost.open({ template: "{{sequenc}}" })).rejects.toMatchObject({
      code: "PIO_DATA_GENERATOR_CONFIG",
      message: "template: {{sequenc}} is no placeholder",
      remedy: expect.stringContaining("{{sequence}}"),
    });
  });

  it("can be closed without having been opened, and twice", async () => {
    const source = new DataGeneratorSource();
    await source.close();
    await source.close();
  });
});

describe("DataGeneratorSource with a state store", () => {
  it("goes on where the acknowledged records end, a gap and all after it again", async () => {
    const state = new MemoryState();
    const before = await GeneratorHost.open(timeless, { state });
    const records = await before.read(6);
    for (const index of [0, 1, 2, 4, 5]) records[index]?.ack();
    before.stopReading();
    await before.source.close();
    expect(state.entries).toEqual(new Map([["partition-0", "3"]]));

    const after = await GeneratorHost.open(timeless, { state });
    expect((await after.read(3)).map(essence)).toEqual(records.slice(3).map(essence));
    await after.source.close();
  });

  it("stores the position every second, for a crash to repeat no more than that, and only if it moved", async () => {
    const state = new MemoryState();
    const host = await GeneratorHost.open({ partitions: 2 }, { state });
    for (const record of await host.read(3)) record.ack();
    await host.clock.advance(1_000);
    expect(state.entries).toEqual(
      new Map([
        ["partition-0", "2"],
        ["partition-1", "1"],
      ]),
    );
    await host.clock.advance(5_500);
    expect(state.writes).toBe(2);
    const ages = () => host.source.status().map(({ checkpointAgeMs }) => checkpointAgeMs);
    expect(ages()).toEqual([500, 500]);
    for (const record of await host.read(1)) record.ack(); // of the second partition
    state.failing = true;
    await host.clock.advance(2_000);
    expect(ages()).toEqual([500, 2_500]);
    state.failing = false;
    await host.source.close();
  });

  it("tries again when the position cannot be stored, and fails to close only if it still cannot", async () => {
    const state = new MemoryState();
    const host = await GeneratorHost.open({}, { state });
    for (const record of await host.read(2)) record.ack();
    state.failing = true;
    await host.clock.advance(1_000);
    await host.clock.advance(60_000);
    expect(host.logger.messages("warn")).toEqual(["storing positions failing, retrying"]);
    state.failing = false;
    await host.clock.advance(1_000);
    expect(host.logger.messages("info")).toContain("storing positions recovered");
    expect(state.entries).toEqual(new Map([["partition-0", "2"]]));
    for (const record of await host.read(1)) record.ack();
    state.failing = true;
    await expect(host.source.close()).rejects.toThrow("the disk is full");
  });

  it("acknowledges twice without harm", async () => {
    const state = new MemoryState();
    const host = await GeneratorHost.open({}, { state });
    const [first, second] = await host.read(2);
    for (const record of [first, first, second, first]) record?.ack();
    await host.source.close();
    expect(state.entries.get("partition-0")).toBe("2");
  });

  it("makes what is left of its count, and nothing when nothing is", async () => {
    const state = new MemoryState();
    const before = await GeneratorHost.open({ count: 3 }, { state });
    for (const record of await before.read(2)) record.ack();
    await before.source.close();
    const after = await GeneratorHost.open({ count: 3 }, { state });
    for (const record of await after.read(1)) record.ack();
    expect(after.source.status()).toEqual([
      {
        id: "partition-0",
        owner: "0",
        position: "3",
        checkpointAgeMs: 0,
        received: 1,
        activity: "idle",
        finished: true,
      },
    ]);
    await after.source.close();
    const last = await GeneratorHost.open({ count: 3 }, { state });
    const read = last.source.read();
    last.stopReading();
    await expect(read).rejects.toThrow("stop");
    await last.source.close();
  });

  it("begins anew, with a warning, when what is stored is no position", async () => {
    const state = new MemoryState();
    state.entries.set("partition-0", "-x");
    const host = await GeneratorHost.open({}, { state });
    expect(host.logger.messages("warn")).toEqual(["stored position is none, beginning anew"]);
    expect((await host.read(1))[0]?.recordSequence).toBe(0n);
    await host.source.close();
  });
});
