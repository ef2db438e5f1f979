import type { ConnectorError } from "@pulsar-ts-io/core";
import { codeOf } from "@pulsar-ts-io/core";
import { RecordingMeter } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { range } from "../harness/numbered-messages.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { numberedMessage, unbatched, WireRig } from "../harness/wire-rig.ts";

const topic = "non-persistent://public/default/t";

describe("a publisher to a non-persistent topic that drops messages", () => {
  let rig: WireRig;
  let meter: RecordingMeter;

  beforeEach(() => {
    meter = new RecordingMeter();
    rig = new WireRig({}, { meter });
  });

  afterEach(() => rig.end());

  const outcomes = { stored: 0, dropped: 0, failed: [] as (string | undefined)[] };
  const delivery = {
    stored: () => {
      outcomes.stored += 1;
    },
    dropped: () => {
      outcomes.dropped += 1;
    },
    failed: (error: ConnectorError) => {
      outcomes.failed.push(codeOf(error));
    },
  };

  it("keeps its connection when drops are answered before what was sent earlier, and counts them", async () => {
    const publisher = await rig.open(unbatched, topic);
    rig.holdReceipts();
    for (const index of range(100)) publisher.send(numberedMessage(index), delivery);
    await until(() => rig.broker.sends.length === 100, rig.clock);
    const isDropped = (index: number) => index % 3 === 1;
    const answer = (index: number) => {
      const send = rig.broker.sends[index];
      if (send === undefined) throw new Error("unreachable: all were sent");
      const entryId = isDropped(index) ? -1n : 0n;
      rig.broker.last.receipt(send, { ledgerId: entryId, entryId });
    };
    for (const index of range(100).filter(isDropped)) answer(index);
    for (const index of range(100).filter((one) => !isDropped(one))) answer(index);
    await publisher.flush(never);
    expect(outcomes).toEqual({ stored: 67, dropped: 33, failed: [] });
    expect(rig.broker.connections).toHaveLength(1);
    expect(meter.value("pulsar_ts_io_publisher_dropped_messages_total", { topic })).toBe(33);
    await publisher.close();
    const lines = rig.wire.logger.linesOf("non-persistent topic dropped messages");
    expect(lines.map(({ fields }) => fields["messages"])).toEqual([1, 32]);
  });

  it("logs drops once a minute", async () => {
    const publisher = await rig.open(unbatched, topic);
    rig.broker.onSend = (send, connection) => connection.receipt(send, { ledgerId: -1n, entryId: -1n });
    const end = rig.clock.monotonic() + 180_000;
    await until(
      () => {
        publisher.send(numberedMessage(0), delivery);
        return rig.clock.monotonic() >= end;
      },
      rig.clock,
      1_000,
    );
    const lines = rig.wire.logger.linesOf("non-persistent topic dropped messages");
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.length).toBeLessThanOrEqual(4);
  });
});
