import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import type { Deliveries } from "../harness/recorded-delivery.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { batched, numberedMessage, numbersSent, unbatched, WireRig } from "../harness/wire-rig.ts";

describe("a publisher whose receipts come", () => {
  let rig: WireRig;
  let broker: FakeBroker;
  let clock: TestClock;
  let deliveries: Deliveries;

  beforeEach(() => {
    rig = new WireRig();
    ({ broker, clock, deliveries } = rig);
  });

  afterEach(() => rig.end());

  it("ignores one for what was settled before", async () => {
    const publisher = await rig.open(unbatched);
    broker.onSend = (one, connection) => {
      connection.receipt(
        { ...one, sequenceId: Math.max(0, one.sequenceId - 1) },
        { ledgerId: 9n, entryId: 9n },
      );
      if (one.sequenceId > 0) connection.receipt(one, { ledgerId: 1n, entryId: 1n });
    };
    rig.send(publisher, 0, 1);
    await publisher.flush(never);
    expect(deliveries.stored.map((id) => id.ledgerId)).toEqual([9n, 1n]);
    expect(broker.connections).toHaveLength(1);
  });

  it("sends everything again over a new connection when one was skipped", async () => {
    const publisher = await rig.open(unbatched);
    broker.onSend = (one, connection) => {
      if (one.sequenceId === 1) connection.receipt(one, { ledgerId: 1n, entryId: 1n });
    };
    rig.send(publisher, 0, 1);
    await until(() => broker.connections[0]?.socket.destroyed === true, clock);
    rig.confirm();
    await until(() => deliveries.settled === 2, clock);
    expect(numbersSent(broker)).toEqual([[0], [1], [0], [1]]);
    expect(deliveries.failed).toEqual([]);
  });

  it("gives each message of a batch its own place in it", async () => {
    const publisher = await rig.open(batched);
    rig.send(publisher, 0, 1, 2);
    await publisher.flush(never);
    expect(deliveries.stored.map((id) => id.batchIndex)).toEqual([0, 1, 2]);
  });

  it("takes an answer without a message id for a loss where it can be no duplicate", async () => {
    const publisher = await rig.open(unbatched);
    broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
    rig.send(publisher, 0);
    deliveries.send(publisher, numberedMessage(1), 7n);
    await publisher.flush(never);
    expect(deliveries.failed.map(codeOf)).toEqual(["PIO_MESSAGE_NOT_STORED"]);
    expect(deliveries.outcomes[1]).toBe("duplicate");
  });

  it("takes it for a loss always where nothing is kept: such a topic drops messages under load", async () => {
    const publisher = await rig.open(unbatched, "non-persistent://public/default/t");
    broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
    deliveries.send(publisher, numberedMessage(0), 7n);
    await publisher.flush(never);
    expect(deliveries.failed.map(({ code, remedy }) => [code, remedy])).toEqual([
      ["PIO_MESSAGE_NOT_STORED", expect.stringContaining("publish to a persistent topic")],
    ]);
  });

  it("takes an answer without a message id for a duplicate where the frame was written twice", async () => {
    const publisher = await rig.open(unbatched);
    rig.holdReceipts();
    rig.send(publisher, 0);
    await until(() => broker.sends.length === 1, clock);
    broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: -1n, entryId: -1n });
    broker.last.socket.destroy();
    await until(() => deliveries.settled === 1, clock);
    expect(deliveries.outcomes).toEqual(["duplicate"]);
  });
});
