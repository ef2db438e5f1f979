import { describe, expect, it } from "vitest";
import type { InstanceOptions } from "../../src/instance/instance-options.ts";
import { isCurable } from "../../src/supervise/curable.ts";
import { DeduplicatingBroker, DeduplicatingTransport } from "../support/deduplicating-broker.ts";
import { ListSource } from "../support/list-source.ts";
import { NumberedRecord } from "../support/numbered-record.ts";
import { startInstance, topic } from "../support/start-instance.ts";
import { StepTransport } from "../support/step-transport.ts";

const total = 5;
const partition = "orders";
const all = Array.from({ length: total }, (_, number) => `${partition}/${number}`);

/** The names of an earlier release: the partition id alone. */
const earlierRelease: Partial<InstanceOptions> = { partitionIds: "global" };
const upgraded: Partial<InstanceOptions> = { partitionIds: undefined };

interface Life {
  /** The first record that it reads: its source stored that everything before it is confirmed. */
  readonly from: number;
  /** Messages after which the process is killed; absent: it stops in good order. */
  readonly killedAfter?: number;
}

/** One life of the source, up to its end. @returns what it failed with. */
async function live(
  broker: DeduplicatingBroker,
  { from, killedAfter }: Life,
  overrides: Partial<InstanceOptions>,
): Promise<unknown> {
  const transport = new DeduplicatingTransport(broker, killedAfter);
  const records = Array.from(
    { length: total - from },
    (_, index) => new NumberedRecord(partition, from + index),
  );
  const { clock, stop, ended } = startInstance(new ListSource(records), transport, {
    guarantee: "EFFECTIVELY_ONCE",
    ...overrides,
  });
  await clock.settle();
  if (killedAfter !== undefined) {
    transport.kill();
    return undefined;
  }
  stop.abort();
  return await ended;
}

/** Every upgrade after a crash: what had arrived, what was stored of it, and the same of a second crash during the upgrade. */
const upgrades = Array.from({ length: total }, (_, index) => index + 1).flatMap((arrived) =>
  Array.from({ length: arrived }, (_, from) =>
    Array.from({ length: total - from + 1 }, (_, killedAfter) => ({ arrived, from, killedAfter })),
  ).flat(),
);

describe("the names of producers", () => {
  it("are those of the source, so that two sources with the same partition id lose nothing", async () => {
    const broker = new DeduplicatingBroker();
    expect(await live(broker, { from: 0 }, { ...upgraded, name: "first" })).toBeUndefined();
    expect(await live(broker, { from: 0 }, { ...upgraded, name: "second" })).toBeUndefined();
    expect(broker.stored).toEqual([...all, ...all]);
    expect([...(broker.last[0]?.keys() ?? [])]).toEqual([
      "public/default/first/orders",
      "public/default/second/orders",
    ]);
  });

  it("are the partition ids of a connector whose ids are global", async () => {
    const broker = new DeduplicatingBroker();
    await live(broker, { from: 0 }, { partitionIds: "global" });
    expect([...(broker.last[0]?.keys() ?? [])]).toEqual([partition]);
  });

  it("change after a clean stop without a repetition, and nobody is asked", async () => {
    const broker = new DeduplicatingBroker();
    await live(broker, { from: 0, killedAfter: 3 }, earlierRelease);
    expect(await live(broker, { from: 3 }, upgraded)).toBeUndefined();
    expect(broker.stored).toEqual(all);
    expect(broker.last[0]?.get("public/default/test/orders")).toBe(4n);
  });

  it.each([1, 2, 3])(
    "keep repetitions of a crash out of a topic of %d partitions, wherever old and new release were killed",
    async (partitions) => {
      for (const { arrived, from, killedAfter } of upgrades) {
        const broker = new DeduplicatingBroker(partitions);
        const own = { ...upgraded, earlierProducer: "own" } as const;
        await live(broker, { from: 0, killedAfter: arrived }, earlierRelease);
        await live(broker, { from, killedAfter }, own);
        // The position may be as old as before, or any newer one.
        const failure = await live(broker, { from }, own);
        const what = { arrived, from, killedAfter };
        expect({ ...what, failure, stored: broker.stored }).toEqual({
          ...what,
          failure: undefined,
          stored: all,
        });
        expect(broker.mostProducers).toBe(1);
      }
    },
  );

  it("are in doubt when records may be repetitions of another source's: the run is refused, once and for all", async () => {
    const broker = new DeduplicatingBroker();
    await live(broker, { from: 0, killedAfter: 4 }, { ...earlierRelease, name: "another" });
    const failure = await live(broker, { from: 0 }, upgraded);
    expect(failure).toMatchObject({
      stage: "pulsar",
      code: "PIO_PRODUCER_NAME_IN_DOUBT",
      remedy: expect.stringContaining("--earlier-producer-names foreign"),
    });
    expect(isCurable(failure)).toBe(false);
    expect(broker.stored).toEqual(all.slice(0, 4));
    expect(await live(broker, { from: 0 }, { ...upgraded, earlierProducer: "foreign" })).toBeUndefined();
    expect(broker.stored).toEqual([...all.slice(0, 4), ...all]);
  });

  it("are in no doubt any more once the source has published under its own", async () => {
    const broker = new DeduplicatingBroker();
    await live(broker, { from: 0, killedAfter: 4 }, { ...earlierRelease, name: "another" });
    await live(broker, { from: 0, killedAfter: 2 }, { ...upgraded, earlierProducer: "foreign" });
    expect(await live(broker, { from: 1 }, upgraded)).toBeUndefined();
    expect(broker.stored).toEqual([...all.slice(0, 4), ...all]);
  });

  it("are the source's where the transport cannot report last numbers, unless the user says otherwise", async () => {
    for (const [earlierProducer, expected] of [
      [undefined, "public/default/test/orders"],
      ["foreign", "public/default/test/orders"],
      ["own", "orders"],
    ] as const) {
      const transport = new StepTransport();
      const source = new ListSource([new NumberedRecord(partition, 1)]);
      const overrides = { ...upgraded, guarantee: "EFFECTIVELY_ONCE", earlierProducer } as const;
      const { clock, stop, ended } = startInstance(source, transport, overrides);
      await clock.settle();
      expect(transport.unsettled.map(({ producer }) => producer)).toEqual([expected]);
      transport.confirm();
      stop.abort();
      await ended;
    }
  });

  it("change only when all is confirmed that went by the earlier one", async () => {
    const lastSequenceId = (_: string, producer: string | undefined) => (producer === partition ? 1n : -1n);
    const transport = new StepTransport({ lastSequenceId });
    const source = new ListSource([0, 1, 2, 3].map((number) => new NumberedRecord(partition, number)));
    const overrides = { ...upgraded, guarantee: "EFFECTIVELY_ONCE", earlierProducer: "own" } as const;
    const { clock, stop, ended } = startInstance(source, transport, overrides);
    await clock.settle();
    const sent = () => transport.unsettled.map(({ producer, sequenceId }) => `${producer} ${sequenceId}`);
    expect(sent()).toEqual(["orders 0", "orders 1"]);
    transport.confirm();
    await clock.settle();
    expect(sent()).toEqual(["orders 1"]);
    transport.confirm();
    await clock.settle();
    expect(sent()).toEqual(["public/default/test/orders 2", "public/default/test/orders 3"]);
    expect(transport.log.slice(-3)).toEqual([
      `flush orders to ${topic}`,
      `close orders to ${topic}`,
      `open public/default/test/orders to ${topic}`,
    ]);
    while (transport.confirm());
    stop.abort();
    expect(await ended).toBeUndefined();
    expect(transport.openPublishers).toBe(0);
  });

  it("leave nothing open when the partition is released before all is confirmed under the earlier name", async () => {
    const lastSequenceId = (_: string, producer: string | undefined) => (producer === partition ? 1n : -1n);
    const transport = new StepTransport({ lastSequenceId });
    const source = new ListSource([1, 2].map((number) => new NumberedRecord(partition, number)));
    const overrides = { ...upgraded, guarantee: "EFFECTIVELY_ONCE", earlierProducer: "own" } as const;
    const { clock, stop, ended } = startInstance(source, transport, overrides);
    await clock.settle();
    await source.context?.releasePartition(partition);
    await clock.settle();
    expect(transport.openPublishers).toBe(0);
    stop.abort();
    expect(await ended).toBeUndefined();
  });
});
