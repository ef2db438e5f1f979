import { systemClock } from "@pulsar-ts-io/core";
import { SeededRandom } from "../../../../test/harness/seeded-random.ts";
import type { Publisher } from "../../src/index.ts";
import { sendRange } from "../harness/numbered-messages.ts";
import { Deliveries } from "../harness/recorded-delivery.ts";
import { never } from "../harness/wire.ts";
import type { ContractBroker } from "./contract-broker.ts";

export interface StormOptions {
  readonly topic: string;
  readonly messages: number;
  /** How often the broker is killed and started again. */
  readonly kills: number;
  /** How often the topic is unloaded. */
  readonly unloads: number;
  /** How often every connection is reset. */
  readonly resets: number;
  /** Whether the sender numbers its messages. */
  readonly withIds: boolean;
  readonly seed: number;
}

/**
 * Sends everything while the broker dies, the topic moves and connections break, in a random order and in the midst of sending.
 *
 * @returns how each message ended, once all are settled.
 */
export async function sendThroughStorm(
  stack: ContractBroker,
  publisher: Publisher,
  options: StormOptions,
): Promise<Deliveries> {
  const { topic, messages, kills, unloads, resets, withIds, seed } = options;
  const deliveries = new Deliveries();
  const random = new SeededRandom(seed);
  const events = random.shuffled([
    ...times(kills, () => stack.broker.restart()),
    ...times(unloads, () => stack.admin.unload(topic)),
    ...times(resets, async () => {
      await systemClock.sleep(random.integer(0, 30), never);
      stack.proxy.reset();
    }),
  ]);
  const send = (to: number) =>
    sendRange(publisher, deliveries, { from: deliveries.outcomes.length, to, withIds });
  for (const [index, event] of events.entries()) {
    const share = messages / (events.length + 1);
    const strikesAt = random.integer(Math.floor(index * share), Math.floor((index + 1) * share));
    await send(strikesAt);
    const happening = event();
    // It strikes while these are on their way; the next one waits until there is a broker again.
    await send(Math.floor((index + 1) * share));
    await happening;
  }
  await send(messages);
  await publisher.flush(never);
  return deliveries;
}

function times(count: number, event: () => Promise<void>): readonly (() => Promise<void>)[] {
  return Array.from({ length: count }, () => event);
}
