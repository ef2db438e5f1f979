import { codeOf } from "@pulsar-ts-io/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

const exclusive = { ...defaultPublisherOptions, accessMode: "Exclusive" as const, producerName: "mine" };
const notFound = { error: 11, message: "Topic not found" };
const ownGhost = { error: 25, message: "Topic has an existing exclusive producer: mine" };

describe("a publisher whose broker was away for longer than it waits for a refusal", () => {
  let rig: WireRig;
  let away: boolean;
  /** What PRODUCER is refused with; `undefined`: it is accepted. */
  let refusal: { readonly error: number; readonly message: string } | undefined;

  beforeEach(() => {
    rig = new WireRig();
    away = false;
    refusal = undefined;
    rig.broker.answer("connect", (_, { socket }) => (away ? socket.destroy() : false));
    rig.broker.answer("producer", ({ requestId }, connection) =>
      refusal === undefined ? false : connection.tell("error", { requestId, ...refusal }),
    );
  });

  afterEach(() => rig.end());

  const pass = (ms: number) => {
    const end = rig.clock.monotonic() + ms;
    return until(() => rig.clock.monotonic() >= end, rig.clock, 500);
  };

  /** A message that waits while the broker is away for five minutes. */
  async function outlast(options = defaultPublisherOptions): Promise<void> {
    const publisher = await rig.open(options);
    away = true;
    rig.broker.last.socket.destroy();
    rig.deliveries.send(publisher, { value: Buffer.from("x") });
    await pass(300_000);
    expect(rig.deliveries.settled).toBe(0);
  }

  it.each([
    ["a topic that is not found for a moment", notFound, defaultPublisherOptions, 20_000],
    ["its own place that a dead connection still has", ownGhost, exclusive, 80_000],
  ])("waits for %s when it is back", async (_, answer, options, ms) => {
    await outlast(options);
    refusal = answer;
    away = false;
    await pass(ms);
    expect(rig.deliveries.settled).toBe(0);
    refusal = undefined;
    await until(() => rig.deliveries.settled === 1, rig.clock, 500);
    expect(rig.deliveries.stored).toHaveLength(1);
  });

  it("gives a topic up that stays away", async () => {
    await outlast();
    refusal = notFound;
    away = false;
    await pass(20_000);
    await until(() => rig.deliveries.settled === 1, rig.clock, 500);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_TOPIC_NOT_FOUND"]);
  });
});
