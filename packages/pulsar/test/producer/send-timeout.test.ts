import { codeOf } from "@pulsar-ts-io/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

const unbatched = { ...defaultPublisherOptions, batching: undefined, compression: "NONE" as const };
const value = Buffer.from("x");

describe("a publisher with a send time-out", () => {
  let rig: WireRig;

  beforeEach(() => {
    rig = new WireRig();
  });

  afterEach(() => rig.end());

  it("fails all that is unconfirmed when the oldest has waited for it, and publishes on", async () => {
    const publisher = await rig.open({ ...unbatched, sendTimeoutMs: 5_000 });
    await rig.clock.advance(3_000);
    rig.holdReceipts();
    rig.deliveries.send(publisher, { value });
    await rig.clock.advance(4_000);
    rig.deliveries.send(publisher, { value });
    expect(rig.deliveries.settled).toBe(0);
    await rig.clock.advance(1_000);
    await until(() => rig.deliveries.settled === 2, rig.clock, 1);
    expect(rig.clock.monotonic()).toBeLessThan(8_020);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_SEND_TIMEOUT", "PIO_SEND_TIMEOUT"]);
    // What the broker says later of these is of no interest; what comes after them is.
    rig.broker.onSend = (send, connection) => connection.receipt(send, { ledgerId: 1n, entryId: 3n });
    const [first, second] = rig.broker.sends;
    for (const send of [first, second])
      if (send !== undefined) rig.broker.last.receipt(send, { ledgerId: 1n, entryId: 1n });
    rig.deliveries.send(publisher, { value });
    await publisher.flush(new AbortController().signal);
    expect(rig.deliveries.stored).toEqual([{ ledgerId: 1n, entryId: 3n, partition: -1, batchIndex: -1 }]);
    expect(rig.broker.connections).toHaveLength(1);
  });

  it("counts the time without a broker, too, and what waits to be batched", async () => {
    const publisher = await rig.open({ ...defaultPublisherOptions, sendTimeoutMs: 1_000 });
    rig.holdReceipts();
    rig.deliveries.send(publisher, { value });
    rig.broker.answer("lookup", () => undefined);
    rig.broker.last.socket.destroy();
    await until(() => rig.deliveries.settled === 1, rig.clock, 100);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_SEND_TIMEOUT"]);
  });

  it("fails what waits to be batched with the rest, and never sends it", async () => {
    const batching = { maxDelayMs: 60_000, maxMessages: 2, maxBytes: 1_000 };
    const publisher = await rig.open({ ...defaultPublisherOptions, batching, sendTimeoutMs: 1_000 });
    rig.holdReceipts();
    for (let count = 0; count < 3; count += 1) rig.deliveries.send(publisher, { value });
    await until(() => rig.deliveries.settled === 3, rig.clock, 100);
    expect(rig.clock.monotonic()).toBeLessThan(2_000);
    await rig.clock.advance(120_000);
    expect(rig.broker.sends).toHaveLength(1);
  });

  it("waits for ever by default", async () => {
    const publisher = await rig.open(unbatched);
    rig.broker.onSend = () => undefined;
    rig.deliveries.send(publisher, { value });
    await until(() => rig.clock.monotonic() > 3_600_000, rig.clock, 10_000);
    expect(rig.deliveries.settled).toBe(0);
  });
});
