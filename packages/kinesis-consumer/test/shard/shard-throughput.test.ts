import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { ShardThroughput } from "../../src/shard/shard-throughput.ts";

describe("ShardThroughput", () => {
  it("knows nothing before an interval is over, then its mean, and from then on half of what it was", async () => {
    const { clock, throughput } = measuring();
    throughput.delivered(4_096);
    await clock.advance(1_999);
    expect(throughput.measure()).toBeUndefined();
    await clock.advance(1);
    expect(throughput.measure()).toBe(2);
    throughput.delivered(20_480);
    await clock.advance(2_000);
    expect(throughput.measure()).toBe(6);
    await clock.advance(2_000);
    expect(throughput.measure()).toBe(3);
  });

  it("stays as it was when it is measured again before the interval is over, and forgets nothing of it", async () => {
    const { clock, throughput } = measuring();
    throughput.delivered(4_096);
    await clock.advance(2_000);
    throughput.measure();
    throughput.delivered(8_192);
    await clock.advance(1_000);
    expect(throughput.measure()).toBe(2);
    throughput.delivered(8_192);
    await clock.advance(3_000);
    expect(throughput.measure()).toBe(3);
  });
});

function measuring() {
  const clock = new TestClock();
  return { clock, throughput: new ShardThroughput({ clock, intervalMs: 2_000 }) };
}
