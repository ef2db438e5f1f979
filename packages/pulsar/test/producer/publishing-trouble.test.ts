import { TroubleLog } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("trouble with publishing", () => {
  let rig: WireRig;
  let troubles: TroubleLog;
  /** What the connection is refused with; `undefined`: it is accepted. */
  let away: "hang" | "hangs up" | undefined;

  beforeEach(() => {
    away = undefined;
    const clock = { now: () => rig.clock.now(), monotonic: () => rig.clock.monotonic() };
    troubles = new TroubleLog({ clock, logger: new RecordingLogger() });
    rig = new WireRig({}, { troubles });
    rig.broker.answer("connect", (_, { socket }) => {
      if (away === "hangs up") socket.destroy();
      return away === undefined ? false : undefined;
    });
  });

  afterEach(() => rig.end());

  const pass = (ms: number) => {
    const end = rig.clock.monotonic() + ms;
    return until(() => rig.clock.monotonic() >= end, rig.clock, 500);
  };
  const shown = () => troubles.current().map(({ what, code, blocking }) => ({ what, code, blocking }));

  async function publish(publisher: Publisher): Promise<void> {
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    const flushed = publisher.flush(never);
    await pass(1_000);
    await flushed;
  }

  it.each([
    ["hangs up", "PIO_PULSAR_UNREACHABLE"],
    ["hang", "PIO_PULSAR_TIMEOUT"],
  ] as const)("is shown while the broker %s, with a remedy, and ends when it is back", async (how, code) => {
    const publisher = await rig.open(defaultPublisherOptions);
    away = how;
    rig.broker.last.socket.destroy();
    await pass(12_000);
    expect(shown()).toEqual([{ what: "publishing to Pulsar", code, blocking: true }]);
    expect(troubles.current()[0]?.remedy).toBeTypeOf("string");
    away = undefined;
    await pass(36_000);
    expect(shown()).toEqual([]);
    await publish(publisher);
  });

  it("is shown while a first opening waits, and between two attempts of it", async () => {
    away = "hang";
    const stop = new AbortController();
    const opening = rig.wire.transport.open("t", defaultPublisherOptions, stop.signal);
    opening.catch(() => undefined);
    await pass(12_000);
    expect(shown()).toMatchObject([{ what: "publishing to Pulsar", blocking: true }]);
    await pass(60_000);
    expect(shown()).toMatchObject([{ what: "publishing to Pulsar" }]);
    await expect(opening).rejects.toMatchObject({ retryable: true });
    away = undefined;
    await rig.wire.transport.open("t", defaultPublisherOptions, never);
    expect(shown()).toEqual([]);
  });

  it("blocks nothing while one of two topics is published to", async () => {
    await rig.open(defaultPublisherOptions, "persistent://public/default/a");
    const publisher = await rig.open(defaultPublisherOptions, "persistent://public/default/b");
    rig.broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("error", { requestId, error: 16, message: "Topic 'x' reached max producers limit" }),
    );
    rig.broker.last.tell("closeProducer", { producerId: 1, requestId: -1 });
    await pass(2_000);
    expect(shown()).toEqual([{ what: "publishing to Pulsar", code: "PIO_BROKER_LIMIT", blocking: false }]);
    await publisher.close();
    expect(shown()).toEqual([]);
  });

  it("is shown when receipts take longer than 15 s, and ends with the receipt", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    rig.holdReceipts();
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    await pass(10_000);
    expect(shown()).toEqual([]);
    await pass(12_000);
    expect(shown()).toMatchObject([{ what: "receipts from Pulsar", code: "PIO_PULSAR_TIMEOUT" }]);
    const [send] = rig.broker.sends;
    if (send !== undefined) rig.broker.last.receipt(send, { ledgerId: 1n, entryId: 1n });
    await pass(6_000);
    expect(shown()).toEqual([]);
  });

  it("stays while a producer has failed for good", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    rig.broker.onSend = ({ producerId, sequenceId }, connection) =>
      connection.tell("sendError", { producerId, sequenceId, error: 15, message: "terminated" });
    await publish(publisher);
    expect(shown()).toEqual([{ what: "publishing to Pulsar", code: "PIO_TOPIC_TERMINATED", blocking: true }]);
    await publisher.close();
    expect(shown()).toEqual([]);
  });
});
