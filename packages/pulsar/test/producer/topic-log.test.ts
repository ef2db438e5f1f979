import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import { range } from "../harness/numbered-messages.ts";
import { until } from "../harness/until.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("the log of a topic", () => {
  let rig: WireRig;

  beforeEach(() => {
    rig = new WireRig();
  });

  afterEach(() => rig.end());

  const unload = () => {
    for (const { producerId } of rig.broker.of("producer"))
      rig.broker.last.tell("closeProducer", { producerId, requestId: -1 });
  };
  const shown = () => [
    ...rig.wire.logger.messages("info"),
    ...rig.wire.logger.messages("warn"),
    ...rig.wire.logger.messages("error"),
  ];

  it("has one line when a topic of 50 partitions is opened, and two for its unload", async () => {
    rig.broker.partitions = 50;
    await rig.open(defaultPublisherOptions);
    expect(shown()).toEqual(["connected to broker", "producer ready"]);
    unload();
    await until(() => rig.wire.logger.linesOf("producer ready").length >= 52, rig.clock, 100);
    await rig.clock.settle();
    expect(shown().sort()).toEqual([
      "connected to broker",
      "producer lost, opening it again",
      "producer ready",
      "producer ready",
    ]);
    expect(rig.wire.logger.linesOf("producer ready").at(-1)?.fields).toMatchObject({ producers: 50 });
  });

  it("has two lines for the unload of a topic with a publisher for each of 50 partitions of a source", async () => {
    for (const index of range(50))
      await rig.open({ ...defaultPublisherOptions, producerName: `partition-${index}` });
    const before = shown().length;
    unload();
    await until(() => rig.broker.of("producer").length === 100, rig.clock, 100);
    await until(() => shown().length >= before + 2, rig.clock, 100);
    expect(shown().length).toBe(before + 2);
  });
});
