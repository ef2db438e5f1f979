import { systemClock } from "@pulsar-ts-io/core";
import { expect, it } from "vitest";
import { eventually } from "../../../../test/harness/eventually.ts";
import { uniqueTopic } from "../../../../test/stack.ts";
import { defaultPublisherOptions } from "../../src/index.ts";
import { numbersOf, range, sendRange } from "../harness/numbered-messages.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never } from "../harness/wire.ts";
import type { ContractBroker } from "./contract-broker.ts";
import type { ContractSubject } from "./contract-transport.ts";

const blockedMs = 10_000;

/** What happens when a client sleeps, and how it goes. */
export function lifeContract(subject: ContractSubject, stack: () => ContractBroker): void {
  it("goes on after its event loop was blocked for 10 s, losing nothing", async () => {
    const topic = uniqueTopic();
    await using transport = await subject.open(stack().address);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 900 });
    block(blockedMs);
    await sendRange(publisher, deliveries, { from: 900, to: 3_000 });
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect([...new Set(numbersOf(await stack().read(topic)))]).toEqual(range(3_000));
  });

  it("loses its name to a newcomer while it does not answer, and takes it back when that has gone", async () => {
    const { address, direct, proxy } = stack();
    const topic = uniqueTopic();
    const options = { ...defaultPublisherOptions, producerName: "shard-0" };
    const deliveries = new Deliveries();
    await using stale = await subject.open(address);
    const before = await stale.open(topic, options, never);
    await sendRange(before, deliveries, { from: 0, to: 10 });
    await before.flush(never);
    // It hears no PING of the broker's, so it cannot answer, as if it slept.
    proxy.pause();
    await using newcomer = await subject.open(direct);
    const after = await newcomer.open(topic, options, never);
    await sendRange(after, deliveries, { from: 10, to: 20 });
    await after.flush(never);
    proxy.resume();
    await sendRange(before, deliveries, { from: 20, to: 30 });
    await systemClock.sleep(1_000, never);
    expect(deliveries.settled).toBe(20);
    await after.close();
    await before.flush(never);
    expect(deliveries.failed).toEqual([]);
    expect([...new Set(numbersOf(await stack().read(topic)))]).toEqual(range(30));
  });

  it("ends an opening that is under way when it is closed, and leaves no connection", async () => {
    const { address, proxy } = stack();
    proxy.pause();
    const transport = await subject.open(address);
    const opening = transport.open(uniqueTopic(), defaultPublisherOptions, never);
    const outcome = expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/^PIO_/) });
    await eventually("a connection", () => proxy.open > 0);
    await Promise.all([transport.close(), transport.close()]);
    await outcome;
    proxy.resume();
    await eventually("the end of the connection", () => proxy.open === 0);
  });

  it("settles every message once when it is closed in the middle of sending, twice", async () => {
    const topic = uniqueTopic();
    const { address, proxy } = stack();
    const transport = await subject.open(address);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 1_500 });
    await Promise.all([publisher.close(), publisher.close()]);
    await transport.close();
    await transport.close();
    expect(deliveries.settled).toBe(1_500);
    expect(deliveries.failed.every((error) => error.code === "PIO_PUBLISHER_CLOSED")).toBe(true);
    deliveries.send(publisher, { value: Buffer.from("late") });
    await eventually("the answer for what came late", () => deliveries.settled === 1_501);
    expect(deliveries.failed.at(-1)?.code).toBe("PIO_PUBLISHER_CLOSED");
    await eventually("the end of the connection", () => proxy.open === 0);
    // What is said to be stored is stored.
    const read = new Set(numbersOf(await stack().read(topic)));
    const confirmed = range(1_500).filter((index) => isStored(deliveries, index));
    expect(confirmed.filter((index) => !read.has(index))).toEqual([]);
  });
}

function isStored(deliveries: Deliveries, index: number): boolean {
  const outcome = deliveries.outcomes[index];
  return typeof outcome === "object" && "entryId" in outcome;
}

/** Lets nothing else run in this thread. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
