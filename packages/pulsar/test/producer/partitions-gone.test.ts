import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher } from "../../src/index.ts";
import { range } from "../harness/numbered-messages.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";
import { WireRig } from "../harness/wire-rig.ts";

const topic = "persistent://public/default/t";

describe("a publisher to a partitioned topic that is deleted or made smaller", () => {
  let rig: WireRig;
  /** What PARTITIONED_METADATA is refused with; `undefined`: it is answered. */
  let refusal: { readonly error: number; readonly message: string } | undefined;

  beforeEach(() => {
    rig = new WireRig();
    rig.broker.partitions = 4;
    refusal = undefined;
    rig.broker.answer("partitionedMetadata", ({ requestId, topic: asked }, connection) => {
      const answer = (fields: object) =>
        connection.tell("partitionedMetadataResponse", { requestId, response: 1, ...fields });
      if (refusal !== undefined) answer(refusal);
      else answer({ response: 0, partitions: /-partition-\d+$/.test(asked) ? 0 : rig.broker.partitions });
    });
  });

  afterEach(() => rig.end());

  const pass = (ms: number) => {
    const end = rig.clock.monotonic() + ms;
    return until(() => rig.clock.monotonic() >= end, rig.clock, 500);
  };

  const closeProducers = () => {
    for (const { producerId } of rig.broker.of("producer"))
      rig.broker.last.tell("closeProducer", { producerId, requestId: -1 });
  };

  const openProducers = () => rig.broker.of("producer").length;

  async function sendOne(publisher: Publisher): Promise<void> {
    rig.deliveries.send(publisher, { value: Buffer.from("x"), key: "k" });
    const flushed = publisher.flush(never);
    await pass(1_000);
    await flushed;
  }

  it.each([
    ["deleted", 0, { error: 11, message: "" }],
    ["replaced by one without partitions", 0, undefined],
    ["created again with fewer partitions", 3, undefined],
  ])("opens no producer again when the topic was %s, and fails", async (_, partitions, answer) => {
    const publisher = await rig.open(defaultPublisherOptions);
    rig.broker.partitions = partitions;
    refusal = answer;
    closeProducers();
    await pass(5_000);
    expect(openProducers()).toBe(4);
    await sendOne(publisher);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PARTITIONS_GONE"]);
    expect(remedyOf(rig.deliveries.failed[0])).toContain("create-partitioned-topic");
    await expect(publisher.room(never)).rejects.toMatchObject({ code: "PIO_PARTITIONS_GONE" });
  });

  it("publishes nothing to partitions that the broker created while it deleted the topic", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    let opened = 0;
    rig.broker.answer("producer", () => {
      opened += 1;
      rig.broker.partitions = 0;
      return false;
    });
    closeProducers();
    rig.deliveries.send(publisher, { value: Buffer.from("x"), key: "k" });
    await pass(5_000);
    expect(opened).toBeGreaterThan(0);
    expect(rig.deliveries.stored).toEqual([]);
    expect(rig.broker.of("closeProducer")).toHaveLength(opened);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PARTITIONS_GONE"]);
  });

  it("notices within a minute that the topic is smaller, also when no producer is closed", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    rig.broker.partitions = 3;
    await pass(61_000);
    await sendOne(publisher);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PARTITIONS_GONE"]);
  });

  it("takes the broker's own word that a partition is beyond the topic's", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    rig.broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("error", {
        requestId,
        error: 22,
        message: `Illegal topic partition name ${topic}-partition-3 with max allowed 3 partitions`,
      }),
    );
    closeProducers();
    await pass(5_000);
    await sendOne(publisher);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PARTITIONS_GONE"]);
  });

  it("asks once for all partitions that one unload closed", async () => {
    rig.broker.partitions = 50;
    const publisher = await rig.open(defaultPublisherOptions);
    const before = rig.broker.of("partitionedMetadata").length;
    closeProducers();
    await until(() => openProducers() === 100, rig.clock, 100);
    const asked = () => rig.broker.of("partitionedMetadata").length - before;
    expect(asked()).toBe(1);
    await pass(1_000);
    expect(asked()).toBeLessThanOrEqual(3); // all of them were opened within 50 ms
    expect(rig.broker.of("partitionedMetadata").at(-1)).toMatchObject({ autoCreate: false });
    await publisher.close();
  });

  it("waits while the namespace is missing, as it may be created again", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    refusal = { error: 11, message: "Namespace not found" };
    closeProducers();
    await pass(20_000);
    expect(rig.wire.logger.messages("error")).toEqual([]);
    refusal = undefined;
    await pass(60_000);
    await sendOne(publisher);
    expect(rig.deliveries.stored).toHaveLength(1);
  });

  it("does not open a single partition again whose topic was deleted", async () => {
    const publisher = await rig.open(defaultPublisherOptions, `${topic}-partition-2`);
    refusal = { error: 11, message: "" };
    closeProducers();
    await pass(5_000);
    expect(openProducers()).toBe(1);
    await sendOne(publisher);
    expect(rig.deliveries.failed.map(codeOf)).toEqual(["PIO_PARTITIONS_GONE"]);
  });

  it("opens a topic again that is named as a partition and belongs to no partitioned topic", async () => {
    rig.broker.partitions = 0;
    const publisher = await rig.open(defaultPublisherOptions, `${topic}-partition-2`);
    closeProducers();
    await until(() => openProducers() === 2, rig.clock, 100);
    await sendOne(publisher);
    expect(rig.deliveries.stored).toHaveLength(1);
  });

  it("follows a topic that migrated, whatever its old cluster says of partitions", async () => {
    const publisher = await rig.open(defaultPublisherOptions);
    for (const { producerId } of rig.broker.of("producer")) {
      rig.broker.last.tell("topicMigrated", {
        resourceId: producerId,
        resourceType: 0,
        brokerServiceUrl: rig.broker.url,
      });
    }
    refusal = { error: 11, message: "" };
    closeProducers();
    await until(() => openProducers() === 8, rig.clock, 100);
    await pass(61_000);
    for (const _ of range(3)) await sendOne(publisher);
    expect(rig.deliveries.failed).toEqual([]);
  });
});
