import { readFileSync } from "node:fs";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { MetricRegistry } from "../../src/observe/metric-registry.ts";
import { metricsText } from "../../src/observe/metrics-text.ts";
import { measuredFamilies } from "../../src/observe/own-series.ts";
import { PulsarSeries } from "../../src/observe/pulsar-series.ts";
import { metadataOf, parseExposition } from "../support/exposition.ts";
import { report } from "../support/report.ts";

const golden = readFileSync(new URL("../../../test/golden/golden-metrics.txt", import.meta.url), "utf8");
const identity = { tenant: "public", namespace: "default", name: "eo", cluster: "standalone" };

/** Name and labels, in one spelling: a series but for its value. */
function seriesOf(text: string): string[] {
  return parseExposition(text).map(({ name, labels }) =>
    JSON.stringify([name, Object.entries(labels).sort()]),
  );
}

describe("PulsarSeries", () => {
  it("has every series of a Java source, with the same labels and types", async () => {
    const clock = new TestClock();
    const registry = new MetricRegistry(clock);
    registry
      .summary("pulsar_source_user_metric_", "Metrics of the connector's own", { metric: "ticks" })
      .observe(1);
    const reports = [report({ metrics: await registry.families() })];
    const series = new PulsarSeries(identity, clock);
    const text = await metricsText([...series.families(reports), ...measuredFamilies(identity, reports)]);
    const ours = new Set(seriesOf(text));
    expect(seriesOf(golden).filter((name) => !ours.has(name))).toEqual([]);
    expect(seriesOf(golden)).toHaveLength(24);
    const types = metadataOf(text, "TYPE");
    for (const [name, type] of metadataOf(golden, "TYPE")) {
      // The text format has the suffix in the name of the metric, where Java's client leaves it out.
      expect([name, types.get(type === "counter" ? `${name}_total` : name)]).toEqual([name, type]);
    }
  });

  it("starts the 1min counts again with each minute, under both spellings", async () => {
    const clock = new TestClock();
    const series = new PulsarSeries(identity, clock);
    const first = report({ counts: { received: 7, systemExceptions: 2 } });
    const value = async (name: string, reports = [first]) =>
      parseExposition(await metricsText(series.families(reports))).find((sample) => sample.name === name)
        ?.value;
    expect(await value("pulsar_source_received_1min_total")).toBe(7);
    await clock.advance(60_000);
    series.startMinute([first]);
    expect(await value("pulsar_source_received_1min_total")).toBe(0);
    const second = [report({ counts: { received: 10, systemExceptions: 3 } })];
    expect(await value("pulsar_source_received_1min_total", second)).toBe(3);
    expect(await value("pulsar_source_received_1min", second)).toBe(3);
    expect(await value("pulsar_source_system_exceptions_1min_total", second)).toBe(1);
    expect(await value("pulsar_source_received_total", second)).toBe(10);
    expect(await value("pulsar_source_received_1min_created", second)).toBe(clock.now() / 1_000);
  });

  it("bounds the values of the label error: equal failures once, and each cut short", () => {
    const series = new PulsarSeries(identity, new TestClock());
    const systemErrors = ["[E]: a", "[E]: a", `[E]: ${"x".repeat(500)}`].map((message) => ({
      message,
      atMs: 1,
    }));
    const families = series.families([report({ systemErrors })]);
    const family = families.find(({ name }) => name === "pulsar_source_system_exception");
    expect(family?.samples.map(({ labels, value }) => [String(labels["error"]).length, value])).toEqual([
      [6, 1],
      [200, 1],
    ]);
  });
});
