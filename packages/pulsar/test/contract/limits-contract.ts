import { randomBytes } from "node:crypto";
import { systemClock } from "@pulsar-ts-io/core";
import { expect, it } from "vitest";
import { byTier } from "../../../../test/harness/tier.ts";
import { uniqueTopic } from "../../../../test/stack.ts";
import { defaultPublisherOptions } from "../../src/index.ts";
import { liveBytes } from "../harness/live-memory.ts";
import { numbered, numbersOf, range, sendRange } from "../harness/numbered-messages.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never } from "../harness/wire.ts";
import type { ContractBroker } from "./contract-broker.ts";
import type { ContractSubject } from "./contract-transport.ts";

const mebibyte = 1_048_576;

/** Memory is bounded, and what the broker refuses costs that message only. */
export function limitsContract(subject: ContractSubject, stack: () => ContractBroker): void {
  it("takes no more than its window while the broker confirms nothing, and goes on when it does", async () => {
    const { address, proxy } = stack();
    const maxPendingBytes = 4 * mebibyte;
    const topic = uniqueTopic();
    await using transport = await subject.open(address);
    const publisher = await transport.open(topic, { ...defaultPublisherOptions, maxPendingBytes }, never);
    const deliveries = new Deliveries();
    const value = randomBytes(65_536);
    const total = byTier({ quick: 1_000, long: 20_000 });
    let sent = 0;
    const send = () => {
      deliveries.send(publisher, { value });
      sent += 1;
    };
    proxy.pause();
    while (!publisher.full) send();
    expect(sent).toBeLessThanOrEqual(maxPendingBytes / value.length + 1);
    const room = publisher.room(never);
    const first = await Promise.race([room.then(() => "room"), systemClock.sleep(500, never)]);
    expect(first).toBeUndefined();
    proxy.resume();
    await room;
    const sendUpTo = async (count: number) => {
      while (sent < count) {
        if (publisher.full) await publisher.room(never);
        send();
      }
      await publisher.flush(never);
      return await liveBytes();
    };
    // The first quarter fills what is kept for good, the proxy's part included; from then on it must be flat.
    const before = await sendUpTo(total / 4);
    const after = await sendUpTo(total);
    expect(after - before).toBeLessThan(2 * maxPendingBytes);
    expect(deliveries.stored).toHaveLength(total);
  });

  it("fails one message of 5 MiB and a byte that do not compress, and stores those around it", async () => {
    const topic = uniqueTopic();
    await using transport = await subject.open(stack().address);
    const publisher = await transport.open(topic, defaultPublisherOptions, never);
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 10 });
    deliveries.send(publisher, { value: randomBytes(5 * mebibyte + 1) });
    for (const index of range(10)) deliveries.send(publisher, numbered(10 + index));
    await publisher.flush(never);
    expect(deliveries.failed.map((error) => error.code)).toEqual(["PIO_MESSAGE_TOO_LARGE"]);
    expect(deliveries.outcomes[10]).toBe(deliveries.failed[0]);
    expect(numbersOf(await stack().read(topic))).toEqual(range(20));
  });

  it("fails everything, and whoever waits for room, once the topic is terminated", async () => {
    const topic = uniqueTopic();
    await using transport = await subject.open(stack().address);
    const publisher = await transport.open(
      topic,
      { ...defaultPublisherOptions, maxPendingMessages: 10 },
      never,
    );
    const deliveries = new Deliveries();
    await sendRange(publisher, deliveries, { from: 0, to: 5 });
    await publisher.flush(never);
    await stack().admin.terminate(topic);
    const sending = sendRange(publisher, deliveries, { from: 5, to: 1_000 });
    await expect(sending).rejects.toMatchObject({ code: "PIO_TOPIC_TERMINATED" });
    await publisher.flush(never);
    expect(deliveries.settled).toBe(deliveries.outcomes.length);
    expect(new Set(deliveries.failed.map((error) => error.code))).toEqual(new Set(["PIO_TOPIC_TERMINATED"]));
    expect(deliveries.stored).toHaveLength(5);
  });
}
