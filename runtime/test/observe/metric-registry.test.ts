import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { metricsText } from "../../src/observe/metrics-text.ts";
import { metadataOf, parseExposition } from "../support/exposition.ts";

async function textOf(registry: MetricRegistry): Promise<string> {
  return metricsText(await registry.families());
}

describe("MetricRegistry", () => {
  it("gives the same instrument for the same name and labels, in whatever order these are", async () => {
    const registry = new MetricRegistry(new TestClock());
    registry.counter("reads_total", "Reads", { a: "1", b: "2" }).add(1);
    registry.counter("reads_total", "Reads", { b: "2", a: "1" }).add(2);
    registry.counter("reads_total", "Reads", { a: "1", b: "3" }).add(5);
    expect(parseExposition(await textOf(registry)).map(({ value }) => value)).toEqual([3, 5]);
  });

  it("counts observations into buckets that hold those below them, up to +Inf", async () => {
    const registry = new MetricRegistry(new TestClock());
    const latency = registry.histogram("put_seconds", "Puts");
    for (const seconds of [0.001, 0.002, 0.4, 61]) latency.observe(seconds);
    const samples = parseExposition(await textOf(registry));
    const bucket = (le: string) => samples.find(({ labels }) => labels["le"] === le)?.value;
    expect([bucket("0.001"), bucket("0.0025"), bucket("0.5"), bucket("60"), bucket("+Inf")]).toEqual([
      1, 2, 3, 3, 4,
    ]);
    expect(samples.filter(({ name }) => name === "put_seconds_count")).toMatchObject([{ value: 4 }]);
    expect(samples.find(({ name }) => name === "put_seconds_sum")?.value).toBeCloseTo(61.403);
  });

  it("escapes what labels and help texts hold", async () => {
    const registry = new MetricRegistry(new TestClock());
    registry.gauge("depth", "How\ndeep \\ it is", { queue: 'a"b\\c\nd' }).set(3);
    const text = await textOf(registry);
    expect(parseExposition(text)).toEqual([{ name: "depth", labels: { queue: 'a"b\\c\nd' }, value: 3 }]);
    expect(metadataOf(text, "HELP").get("depth")).toBe("How\\ndeep \\\\ it is.");
  });

  it("refuses one name for two kinds, names that cannot be, and labels of the host's own", () => {
    const registry = new MetricRegistry(new TestClock());
    registry.counter("reads_total", "Reads");
    expect(() => registry.gauge("reads_total", "Reads")).toThrow("reads_total is a counter");
    expect(() => registry.gauge("1st", "First")).toThrow("cannot be the name");
    expect(() => registry.gauge("depth", "Depth", { tenant: "a" })).toThrow("the host's own");
    expect(() => registry.gauge("depth", "Depth", { "a b": "a" })).toThrow("cannot be one");
  });

  it("leaves out amounts that cannot be", async () => {
    const registry = new MetricRegistry(new TestClock());
    registry.counter("reads_total", "Reads").add(-1);
    registry.counter("reads_total", "Reads").add(Number.NaN);
    registry.histogram("put_seconds", "Puts").observe(Number.NaN);
    expect(parseExposition(await textOf(registry)).every(({ value }) => value === 0)).toBe(true);
  });

  it("shows a gauge no more that was removed, until it is set again", async () => {
    const registry = new MetricRegistry(new TestClock());
    const [gone, kept] = ["1", "2"].map((part) => registry.gauge("lag_seconds", "Lag", { part }));
    gone?.set(5);
    kept?.set(7);
    gone?.remove();
    const lags = async () => parseExposition(await textOf(registry)).map(({ value }) => value);
    expect(await lags()).toEqual([7]);
    gone?.set(6);
    expect(await lags()).toEqual([6, 7]);
  });

  it("has room for the gauges of partitions that come and go, however many there were", async () => {
    const registry = new MetricRegistry(new TestClock());
    for (let part = 0; part < 3_000; part += 1) {
      const gauge = registry.gauge("lag_seconds", "Lag", { part: `${part}` });
      gauge.set(part);
      if (part < 2_999) gauge.remove();
    }
    expect(parseExposition(await textOf(registry))).toMatchObject([
      { labels: { part: "2999" }, value: 2999 },
    ]);
  });

  it("shows a thousand series of a metric, however many a connector makes", async () => {
    const registry = new MetricRegistry(new TestClock());
    for (let key = 0; key < 1_500; key += 1) registry.counter("keys_total", "Keys", { key: `${key}` }).add(1);
    expect(parseExposition(await textOf(registry))).toHaveLength(1_000);
  });
});
