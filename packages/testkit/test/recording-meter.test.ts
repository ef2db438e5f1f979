import { describe, expect, it } from "vitest";
import { RecordingMeter } from "../src/index.ts";

describe("RecordingMeter", () => {
  it("gives the same instrument for the same name and labels, whatever their order", () => {
    const meter = new RecordingMeter();
    meter.counter("reads_total", "", { stream: "s", shard: "1" }).add(2);
    meter.counter("reads_total", "", { shard: "1", stream: "s" }).add(3);
    meter.counter("reads_total", "", { stream: "s", shard: "2" }).add(10);
    expect(meter.value("reads_total", { shard: "1" })).toBe(5);
    expect(meter.value("reads_total")).toBe(15);
  });

  it("keeps the last value of a gauge and every observation of a histogram", () => {
    const meter = new RecordingMeter();
    const gauge = meter.gauge("lag_seconds", "");
    gauge.set(3);
    gauge.set(1);
    meter.histogram("put_seconds", "").observe(0.5);
    expect(meter.value("lag_seconds")).toBe(1);
    expect(meter.observations("put_seconds")).toEqual([0.5]);
  });

  it("forgets a gauge that was removed, until it is set again", () => {
    const meter = new RecordingMeter();
    const gauge = meter.gauge("lag_seconds", "", { shard: "1" });
    gauge.set(3);
    gauge.remove();
    expect([meter.value("lag_seconds"), meter.names.has("lag_seconds")]).toEqual([0, false]);
    gauge.set(4);
    expect(meter.value("lag_seconds", { shard: "1" })).toBe(4);
  });

  it("refuses a name that is already a metric of another kind, and a counter that shrinks", () => {
    const meter = new RecordingMeter();
    const counter = meter.counter("a_total", "");
    expect(() => meter.gauge("a_total", "")).toThrow("is a counter");
    expect(() => counter.add(-1)).toThrow(RangeError);
  });
});
