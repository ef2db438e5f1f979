import { RecordingMeter } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

const topic = "persistent://public/default/t";
const named = (name: string) => `pulsar_ts_io_publisher_${name}`;

describe("the metrics of a publisher", () => {
  it("count what was sent, sent again, confirmed, failed and is pending, with batch sizes and latency", async () => {
    const meter = new RecordingMeter();
    const rig = new WireRig({}, { meter });
    const publisher = await rig.open({ ...defaultPublisherOptions, producerName: "shard-0" });
    const labels = { topic, producer: "shard-0" };
    rig.holdReceipts();
    for (const size of [10, 20, 30]) rig.deliveries.send(publisher, { value: Buffer.alloc(size) });
    await until(() => rig.broker.sends.length === 1, rig.clock);
    expect(meter.value(named("sent_messages_total"), labels)).toBe(3);
    // Not only once something is settled: a broker that confirms nothing is when people look at it.
    expect(meter.value(named("pending_messages"), labels)).toBe(3);
    expect(meter.observations(named("batch_messages"), labels)).toEqual([3]);
    rig.broker.onSend = (send, connection) => connection.receipt(send, { ledgerId: 1n, entryId: 1n });
    rig.broker.last.socket.destroy();
    await until(() => rig.deliveries.settled === 3, rig.clock);
    expect(meter.value(named("resent_messages_total"), labels)).toBe(3);
    expect(meter.value(named("confirmed_messages_total"), labels)).toBe(3);
    expect(meter.value(named("confirmed_bytes_total"), labels)).toBe(60);
    const [latency] = meter.observations(named("latency_seconds"), labels);
    expect(latency).toBeGreaterThan(0.05);
    expect(latency).toBeLessThan(1);
    rig.deliveries.send(publisher, { value: Buffer.alloc(6_000_000) });
    rig.holdReceipts();
    rig.deliveries.send(publisher, { value: Buffer.alloc(1) });
    await publisher.close();
    expect(meter.value(named("failed_messages_total"), labels)).toBe(rig.deliveries.failed.length);
    expect(meter.value(named("pending_messages"), labels)).toBe(0);
    await rig.end();
  });

  it("tell publishers to one topic apart by the names they were given", async () => {
    const meter = new RecordingMeter();
    const rig = new WireRig({}, { meter });
    for (const producerName of ["a", "b", undefined]) {
      const publisher = await rig.open({ ...defaultPublisherOptions, producerName });
      rig.deliveries.send(publisher, { value: Buffer.from("x") });
      await publisher.flush(never);
    }
    const confirmed = named("confirmed_messages_total");
    expect(meter.value(confirmed, { topic, producer: "a" })).toBe(1);
    expect(meter.value(confirmed, { topic, producer: "b" })).toBe(1);
    expect(meter.value(confirmed, { topic })).toBe(3);
    await rig.end();
  });
});
