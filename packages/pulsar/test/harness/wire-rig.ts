import { TestClock } from "@pulsar-ts-io/testkit";
import type { Publisher, PublisherOptions, WireHost, WireOptions } from "../../src/index.ts";
import type { FakeBroker } from "./fake-broker.ts";
import { FakeNetwork } from "./fake-network.ts";
import { Deliveries } from "./recorded-delivery.ts";
import { never, openWire, type TestWire } from "./wire.ts";

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
