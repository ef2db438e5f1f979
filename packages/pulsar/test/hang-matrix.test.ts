import { codeOf, isRetryable, TroubleLog } from "@pulsar-ts-io/core";
import { RecordingLogger, TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Dial,
  defaultPublisherOptions,
  type Publisher,
  PulsarUnreachableError,
  type Transport,
} from "../src/index.ts";
import type { CommandName } from "../src/wire/command-types.ts";
import type { FakeBroker, FakeConnection } from "./harness/fake-broker.ts";
import { FakeNetwork } from "./harness/fake-network.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { until } from "./harness/until.ts";
import { openWire } from "./harness/wire.ts";

const topic = "persistent://public/default/t";
const options = { ...defaultPublisherOptions, compression: "NONE" as const, batching: undefined };
const issuer = "https://issuer.example";

/** How long the fault lasts; how long recovery may take, and how long trouble may take to be shown and to be cleared. */
const faultMs = 70_000;
const recoveryMs = 15_000;
const troubleMs = 30_000;

type Fault = "never answers" | "answers after the limit" | "stalls in mid-body" | "is refused" | "has no DNS";
interface Call {
  readonly name: string;
  readonly faults: readonly Fault[];
  /** Makes a running publisher need the call. */
  readonly provoke: (broker: FakeBroker) => void;
  /** Whether nothing can be published while the call fails. */
  readonly stops: boolean;
  /** The command of the protocol that it is; else it is made in another way. */
  readonly command?: CommandName;
}

const answers = ["never answers", "answers after the limit", "stalls in mid-body"] as const;
const connects = ["never answers", "is refused", "has no DNS"] as const;

const hangUp = (broker: FakeBroker) => broker.last.socket.destroy();
const closeProducers = (broker: FakeBroker) => {
  for (const { producerId } of broker.of("producer"))
    broker.last.tell("closeProducer", { producerId, requestId: -1 });
};

const calls: readonly Call[] = [
  { name: "TCP or TLS connect", faults: connects, provoke: hangUp, stops: true },
  {
    name: "token issuer metadata",
    faults: [...answers, "is refused", "has no DNS"],
    provoke: hangUp,
    stops: true,
  },
  { name: "token", faults: [...answers, "is refused", "has no DNS"], provoke: hangUp, stops: true },
  { name: "CONNECT", command: "connect", faults: answers, provoke: hangUp, stops: true },
  {
    name: "PARTITIONED_METADATA",
    command: "partitionedMetadata",
    faults: answers,
    provoke: closeProducers,
    stops: true,
  },
  { name: "LOOKUP", command: "lookup", faults: answers, provoke: closeProducers, stops: true },
  { name: "PRODUCER", command: "producer", faults: answers, provoke: closeProducers, stops: true },
  {
    name: "receipt",
    faults: ["answers after the limit", "stalls in mid-body"],
    provoke: () => undefined,
    stops: true,
  },
  {
    name: "PING",
    command: "ping",
    faults: ["never answers", "stalls in mid-body"],
    provoke: () => undefined,
    stops: false,
  },
  {
    name: "CLOSE_PRODUCER",
    command: "closeProducer",
    faults: answers,
    provoke: (broker) => {
      const refuse = broker.onSend;
      broker.onSend = ({ producerId, sequenceId }, connection) => {
        broker.onSend = refuse;
        connection.tell("sendError", { producerId, sequenceId, error: 2, message: "not stored" });
      };
    },
    stops: false,
  },
  {
    name: "AUTH_CHALLENGE",
    faults: ["never answers"],
    provoke: (broker) => broker.last.tell("authChallenge", {}),
    stops: false,
  },
];

/** A transport with a publisher, a broker and a token issuer, any call of which can fail. */
class Cell {
  readonly clock = new TestClock();
  readonly network = new FakeNetwork();
  readonly broker = this.network.broker("broker");
  readonly troubles = new TroubleLog({ clock: this.clock, logger: new RecordingLogger() });
  readonly deliveries = new Deliveries();
  readonly stop = new AbortController();
  readonly transport: Transport;
  readonly #call: Call;
  readonly #fault: Fault;
  readonly #held: (() => void)[] = [];
  #entries = 0n;
  isFaulty = false;

  constructor(call: Call, fault: Fault) {
    this.#call = call;
    this.#fault = fault;
    this.broker.partitions = 2;
    const { command } = call;
    if (command !== undefined)
      this.broker.answer(command, (fields, connection) =>
        this.#answer(connection, () => this.broker.answerHonestly(command, fields, connection)),
      );
    const receipt: FakeBroker["onSend"] = (send, connection) =>
      connection.receipt(send, { ledgerId: 1n, entryId: this.#entries++ });
    this.broker.onSend = (send, connection) => {
      if (call.name !== "receipt" || this.#answer(connection, () => receipt(send, connection)) === false)
        receipt(send, connection);
    };
    const key = Buffer.from('{"client_id":"i","client_secret":"s"}').toString("base64");
    const privateKey = `data:application/json;base64,${key}`;
    this.transport = openWire(
      {
        serviceUrl: this.broker.url,
        authPlugin: "oauth2",
        authParams: JSON.stringify({ issuerUrl: issuer, privateKey, audience: "a" }),
      },
      this.clock,
      { dial: this.#dial, fetch: this.#fetch, troubles: this.troubles },
    ).transport;
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    const end = this.clock.monotonic() + ms;
    return until(() => this.clock.monotonic() >= end, this.clock, 500);
  }

  /** Opens as a source does that is patient. */
  async open(): Promise<Publisher> {
    for (;;) {
      try {
        return await this.transport.open(topic, options, this.stop.signal);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await this.clock.sleep(1_000, this.stop.signal);
      }
    }
  }

  lift(): void {
    this.isFaulty = false;
    if (this.#fault === "answers after the limit") for (const answer of this.#held.splice(0)) answer();
  }

  #answer(connection: FakeConnection, answer: () => void): undefined | false {
    if (!this.isFaulty) return false;
    if (this.#fault === "answers after the limit") this.#held.push(answer);
    if (this.#fault === "stalls in mid-body" && !connection.isStuck) {
      connection.socket.write(Buffer.from([0, 0, 0, 64, 0, 0]));
      connection.isStuck = true;
    }
    return undefined;
  }

  readonly #dial: Dial = (address, tls, signal) => {
    if (!this.isFaulty || this.#call.name !== "TCP or TLS connect")
      return this.network.dial(address, tls, signal);
    if (this.#fault === "never answers") return new Promise(() => undefined);
    const why = this.#fault === "has no DNS" ? "getaddrinfo ENOTFOUND broker" : "connect ECONNREFUSED";
    return Promise.reject(new PulsarUnreachableError(why));
  };

  readonly #fetch: typeof fetch = (input) => {
    const isMetadata = String(input).endsWith("/.well-known/openid-configuration");
    const body = isMetadata ? { token_endpoint: `${issuer}/token` } : { access_token: "abc", expires_in: 1 };
    const honest = () => Response.json(body);
    const isMeant = this.#call.name === (isMetadata ? "token issuer metadata" : "token");
    const isChallenge = this.#call.name === "AUTH_CHALLENGE";
    if (!this.isFaulty || !(isMeant || isChallenge)) return Promise.resolve(honest());
    switch (this.#fault) {
      case "never answers":
        return new Promise(() => undefined);
      case "answers after the limit":
        return new Promise((resolve) => this.#held.push(() => resolve(honest())));
      case "stalls in mid-body":
        return Promise.resolve(
          new Response(new ReadableStream({ start: (to) => to.enqueue(Buffer.from('{"a')) })),
        );
      default: {
        const code = this.#fault === "has no DNS" ? "ENOTFOUND" : "ECONNREFUSED";
        return Promise.reject(
          new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) }),
        );
      }
    }
  };
}

const cells = calls.flatMap((call) => call.faults.map((fault) => ({ name: call.name, fault, call })));

describe("every call to Pulsar is bounded", () => {
  let cell: Cell | undefined;

  beforeEach(() => {
    cell = undefined;
  });

  afterEach(async () => {
    if (cell === undefined) return;
    const { transport, clock } = cell;
    cell.stop.abort(new Error("the test has ended"));
    let isClosed = false;
    const closing = transport.close().then(() => {
      isClosed = true;
    });
    await until(() => isClosed, clock, 500);
    await closing;
    expect(clock.sleepers).toBe(0);
  });

  const send = (publisher: Publisher, deliveries: Deliveries, text: string) => {
    deliveries.send(publisher, { value: Buffer.from(text), key: text });
    publisher.flush(new AbortController().signal).catch(() => undefined);
  };

  it.each(
    cells.filter(({ call }) => call.name !== "receipt" && call.name !== "AUTH_CHALLENGE" && call.stops),
  )("at the start: $name $fault", async ({ call, fault }) => {
    cell = new Cell(call, fault);
    const { deliveries, troubles } = cell;
    cell.isFaulty = true;
    let publisher: Publisher | undefined;
    let failure: unknown;
    cell.open().then(
      (opened) => {
        publisher = opened;
      },
      (error) => {
        failure = error;
      },
    );
    await cell.pass(troubleMs);
    expect(troubles.current()).toMatchObject([{ what: "publishing to Pulsar", blocking: true }]);
    await cell.pass(faultMs - troubleMs);
    expect(failure).toBeUndefined();
    cell.lift();
    await cell.pass(recoveryMs);
    if (publisher === undefined) throw new Error(`not open: ${codeOf(failure)}`);
    send(publisher, deliveries, "a");
    await cell.pass(1_000);
    expect(deliveries.stored).toHaveLength(1);
    await cell.pass(troubleMs - recoveryMs);
    expect(troubles.current()).toEqual([]);
  });

  it.each(cells)("while running: $name $fault", async ({ call, fault }) => {
    cell = new Cell(call, fault);
    const { deliveries, troubles, broker } = cell;
    const publisher = await cell.open();
    send(publisher, deliveries, "a");
    await cell.pass(2_000);
    cell.isFaulty = true;
    call.provoke(broker);
    send(publisher, deliveries, "b");
    await cell.pass(troubleMs);
    if (call.stops) expect(troubles.current()).not.toEqual([]);
    await cell.pass(faultMs - troubleMs);
    send(publisher, deliveries, "c");
    cell.lift();
    await cell.pass(recoveryMs);
    expect(deliveries.failed).toEqual([]);
    expect(deliveries.stored).toHaveLength(3);
    await cell.pass(troubleMs - recoveryMs);
    expect(troubles.current()).toEqual([]);
  });

  it.each(cells)("during a stop: $name $fault", async ({ call, fault }) => {
    cell = new Cell(call, fault);
    const { deliveries, clock, transport, broker } = cell;
    const publisher = await cell.open();
    cell.isFaulty = true;
    call.provoke(broker);
    send(publisher, deliveries, "b");
    await cell.pass(1_000);
    const began = clock.monotonic();
    let isClosed = false;
    publisher
      .close()
      .then(() => transport.close())
      .finally(() => {
        isClosed = true;
      })
      .catch(() => undefined);
    await until(() => isClosed, clock, 500);
    expect(clock.monotonic() - began).toBeLessThanOrEqual(recoveryMs);
    expect(deliveries.settled).toBe(1);
  });
});
