import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher } from "../../src/index.ts";
import { range } from "../harness/numbered-messages.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

describe("a publisher to a topic that gets more partitions", () => {
  let rig: WireRig;
  let publisher: Publisher;
  /** Whether new partitions are refused for good. */
  let refused: boolean;

  beforeEach(async () => {
    rig = new WireRig();
    rig.broker.partitions = 2;
    refused = false;
    rig.broker.answer("producer", ({ requestId, topic }, connection) =>
      refused && !/-partition-[01]$/.test(topic)
        ? connection.tell("error", { requestId, error: 4, message: "no right to produce" })
        : false,
    );
    publisher = await rig.open(defaultPublisherOptions);
  });

  afterEach(() => rig.end());

  const pass = (ms: number) => {
    const end = rig.clock.monotonic() + ms;
    return until(() => rig.clock.monotonic() >= end, rig.clock, 1_000);
  };

  async function partitionsUsed(): Promise<ReadonlySet<number>> {
    const before = rig.deliveries.stored.length;
    for (const index of range(60))
      rig.deliveries.send(publisher, { value: Buffer.from("x"), key: `key-${index}` });
    const flushed = publisher.flush(never);
    await pass(1_000);
    await flushed;
    return new Set(rig.deliveries.stored.slice(before).map((id) => id.partition));
  }

  it("publishes to them after a minute, under one name, and never creates the topic by asking", async () => {
    rig.broker.partitions = 4;
    await pass(59_000);
    expect(await partitionsUsed()).toEqual(new Set([0, 1]));
    await pass(2_000);
    expect(await partitionsUsed()).toEqual(new Set(range(4)));
    expect(rig.broker.of("partitionedMetadata").map((one) => one.autoCreate)).toEqual([true, false]);
    expect(rig.broker.of("producer").map((one) => one.producerName)).toEqual([
      undefined,
      ...Array(3).fill("given-by-broker"),
    ]);
  });

  it("says once that it may not, goes on with those it has, and takes them when it may", async () => {
    refused = true;
    rig.broker.partitions = 4;
    await pass(300_000);
    expect(rig.wire.logger.messages("warn")).toEqual(["new partitions not opened, trying again"]);
    expect(await partitionsUsed()).toEqual(new Set([0, 1]));
    refused = false;
    await pass(61_000);
    expect(await partitionsUsed()).toEqual(new Set(range(4)));
  });

  it("continues with those it has while the count cannot be asked", async () => {
    rig.broker.answer("partitionedMetadata", ({ requestId }, connection) =>
      connection.tell("partitionedMetadataResponse", {
        requestId,
        response: 1,
        error: 6,
        message: "not ready",
      }),
    );
    await pass(121_000);
    expect(await partitionsUsed()).toEqual(new Set([0, 1]));
    expect(rig.wire.logger.messages("warn")).toEqual([]);
  });
});
