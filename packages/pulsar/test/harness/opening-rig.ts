import { RecordingMeter, TestClock } from "@pulsar-ts-io/testkit";
import { defaultPublisherOptions, type Publisher, type WireOptions } from "../../src/index.ts";
import type { FakeBroker } from "./fake-broker.ts";
import { FakeNetwork } from "./fake-network.ts";
import { until } from "./until.ts";
import { never, openWire, type TestWire } from "./wire.ts";

const topic = "persistent://public/default/t";
const options = { ...defaultPublisherOptions, compression: "NONE" as const };

/** A broker in this process, and one wire transport to it, made by what a test is about to look at. */
export class OpeningRig {
  readonly network: FakeNetwork = new FakeNetwork();
  readonly broker: FakeBroker = this.network.broker("broker");
  readonly clock: TestClock = new TestClock();
  readonly meter: RecordingMeter = new RecordingMeter();
  readonly environment: Record<string, string> = {};
  /** Asks the issuer of access tokens. */
  fetch: typeof fetch | undefined;
  wire: TestWire | undefined;

  connect(more: Partial<WireOptions> = {}): TestWire {
    const { network, broker, clock, meter, environment } = this;
    const host = { dial: network.dial, environment, meter, fetch: this.fetch };
    this.wire = openWire({ serviceUrl: broker.url, ...more }, clock, host);
    return this.wire;
  }

  open(signal: AbortSignal = never, more: Partial<WireOptions> = {}): Promise<Publisher> {
    return this.connect(more).transport.open(topic, options, signal);
  }

  /** The publisher, or why there is none; time passes meanwhile. */
  async tryToOpen(more: Partial<WireOptions> = {}): Promise<Publisher | Error> {
    let outcome: Publisher | Error | undefined;
    this.open(never, more).then(
      (publisher) => {
        outcome = publisher;
      },
      (error: Error) => {
        outcome = error;
      },
    );
    await until(() => outcome !== undefined, this.clock, 500);
    if (outcome === undefined) throw new Error("unreachable: there is an outcome");
    return outcome;
  }

  /** Waits until the producer was opened for the `times`th time. */
  ready(times: number, stepMs = 100): Promise<void> {
    return until(() => this.wire?.logger.linesOf("producer ready").length === times, this.clock, stepMs);
  }

  /** Closes everything. @throws when a timer was left behind. */
  async end(): Promise<void> {
    await this.wire?.transport.close();
    if (this.clock.sleepers > 0) throw new Error(`${this.clock.sleepers} timers were left behind`);
  }
}
