import { TestClock } from "@pulsar-ts-io/testkit";
import {
  defaultPublisherOptions,
  type Publisher,
  type PublisherOptions,
  type WireHost,
  type WireOptions,
} from "../../src/index.ts";
import type { FakeBroker } from "./fake-broker.ts";
import { FakeNetwork } from "./fake-network.ts";
import { Deliveries } from "./recorded-delivery.ts";
import { never, openWire, type TestWire } from "./wire.ts";

export const batched: PublisherOptions = { ...defaultPublisherOptions, compression: "NONE" };
export const unbatched: PublisherOptions = { ...batched, batching: undefined };

export const numberedMessage = (index: number): { readonly value: Buffer; readonly key: string } => ({
  value: Buffer.from(`message ${index}`),
  key: `key-${index}`,
});

/** The numbers of the messages in each frame that `broker` was sent. */
export function numbersSent(broker: FakeBroker): readonly (readonly number[])[] {
  return broker.sends.map(({ messages }) =>
    messages.map(({ value }) => Number(Buffer.from(value).toString().slice("message ".length))),
  );
}

/** A wire transport, and a broker in this process for it; nothing of the outside world. */
export class WireRig {
  readonly network: FakeNetwork = new FakeNetwork();
  readonly broker: FakeBroker = this.network.broker("broker");
  readonly clock: TestClock = new TestClock();
  readonly deliveries: Deliveries = new Deliveries();
  readonly wire: TestWire;

  constructor(options: Partial<WireOptions> = {}, host: Partial<WireHost> = {}) {
    const { network, broker, clock } = this;
    this.wire = openWire({ serviceUrl: broker.url, ...options }, clock, { dial: network.dial, ...host });
  }

  open(options: PublisherOptions, topic = "persistent://public/default/t"): Promise<Publisher> {
    return this.wire.transport.open(topic, options, never);
  }

  send(publisher: Publisher, ...indexes: readonly number[]): void {
    for (const index of indexes) this.deliveries.send(publisher, numberedMessage(index));
  }

  /** From now on everything is confirmed, with entry ids from 0 on. */
  confirm(): void {
    let entryId = 0n;
    this.broker.onSend = (one, connection) => connection.receipt(one, { ledgerId: 1n, entryId: entryId++ });
  }

  /** From now on nothing is confirmed. */
  holdReceipts(): void {
    this.broker.onSend = () => undefined;
  }

  /** Closes everything. @throws when a timer was left behind. */
  async end(): Promise<void> {
    await this.wire.transport.close();
    if (this.clock.sleepers > 0) throw new Error(`${this.clock.sleepers} timers were left behind`);
  }
}
