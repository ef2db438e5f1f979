import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import { RecordingMeter, TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions, type Publisher, type WireOptions } from "../src/index.ts";
import type { FakeBroker } from "./harness/fake-broker.ts";
import { FakeNetwork } from "./harness/fake-network.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { until } from "./harness/until.ts";
import { never, openWire, type TestWire } from "./harness/wire.ts";

const topic = "persistent://public/default/t";
const options = { ...defaultPublisherOptions, compression: "NONE" as const };

describe("the wire transport", () => {
  let network: FakeNetwork;
  let broker: FakeBroker;
  let environment: Record<string, string>;
  let clock: TestClock;
  let meter: RecordingMeter;
  let fetchToken: typeof fetch | undefined;
  let wire: TestWire | undefined;

  beforeEach(() => {
    network = new FakeNetwork();
    broker = network.broker("broker");
    clock = new TestClock();
    meter = new RecordingMeter();
    environment = {};
    fetchToken = undefined;
  });

  afterEach(async () => {
    await wire?.transport.close();
    wire = undefined;
    expect(clock.sleepers).toBe(0);
  });

  function connect(more: Partial<WireOptions> = {}): TestWire {
    wire = openWire({ serviceUrl: broker.url, ...more }, clock, {
      dial: network.dial,
      environment,
      meter,
      fetch: fetchToken,
    });
    return wire;
  }

  /** The publisher, or why there is none; time passes meanwhile. */
  async function tryToOpen(more: Partial<WireOptions> = {}): Promise<Publisher | Error> {
    const { transport } = connect(more);
    let outcome: Publisher | Error | undefined;
    transport.open(topic, options, never).then(
      (publisher) => {
        outcome = publisher;
      },
      (error: Error) => {
        outcome = error;
      },
    );
    await until(() => outcome !== undefined, clock, 500);
    if (outcome === undefined) throw new Error("unreachable: there is an outcome");
    return outcome;
  }

  describe("on its first opening", () => {
    it.each([
      [4, "PIO_PULSAR_AUTHORIZATION"],
      [10, "PIO_BROKER_REFUSED"],
      [11, "PIO_TOPIC_NOT_FOUND"],
      [15, "PIO_TOPIC_TERMINATED"],
      [17, "PIO_INVALID_TOPIC_NAME"],
      [18, "PIO_BROKER_REFUSED"],
      [22, "PIO_BROKER_REFUSED"],
      [25, "PIO_PRODUCER_FENCED"],
    ])("gives up at once when PRODUCER is answered with error %i", async (error, code) => {
      broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("error", { requestId, error, message: "no\n\tat java.lang.Thread" }),
      );
      const failure = await tryToOpen();
      expect(codeOf(failure)).toBe(code);
      expect(failure).toMatchObject({
        message: expect.stringMatching(/producer for .*\/t was refused: \w+: no$/),
      });
      expect(remedyOf(failure)).toBeTypeOf("string");
      expect(broker.of("producer")).toHaveLength(1);
    });

    it.each([0, 1, 2, 6, 7, 8, 14, 16, 99])(
      "tries again for 30 s when PRODUCER is answered with error %i",
      async (error) => {
        broker.answer("producer", ({ requestId }, connection) =>
          connection.tell("error", { requestId, error, message: "later" }),
        );
        const start = clock.monotonic();
        expect(await tryToOpen()).toMatchObject({ retryable: true });
        expect(clock.monotonic() - start).toBeGreaterThan(10_000);
        expect(clock.monotonic() - start).toBeLessThanOrEqual(31_000);
        expect(broker.of("producer").length).toBeGreaterThan(5);
        expect(wire?.logger.messages("warn")).toEqual(["producer not opened, trying again"]);
      },
    );

    it.each([
      ["lookup", 4, "PIO_PULSAR_AUTHORIZATION"],
      ["lookup", 11, "PIO_TOPIC_NOT_FOUND"],
    ] as const)("gives up at once when the %s fails with %i", async (_, error, code) => {
      broker.answer("lookup", ({ requestId }, connection) =>
        connection.tell("lookupResponse", { requestId, response: 2, error, message: "no" }),
      );
      expect(codeOf(await tryToOpen())).toBe(code);
    });

    it("gives up at once when the partition count is refused for good", async () => {
      broker.answer("partitionedMetadata", ({ requestId }, connection) =>
        connection.tell("partitionedMetadataResponse", { requestId, response: 1, error: 4, message: "no" }),
      );
      expect(codeOf(await tryToOpen())).toBe("PIO_PULSAR_AUTHORIZATION");
    });

    it("waits for a producer that is queued, and opens it when its turn comes", async () => {
      broker.answer("producer", ({ requestId }, connection) =>
        connection.tell("producerSuccess", { requestId, producerName: "n", producerReady: false }),
      );
      let open = false;
      const opening = connect()
        .transport.open(topic, options, never)
        .then(() => {
          open = true;
        });
      await until(() => broker.of("producer").length === 1, clock);
      await clock.settle();
      expect(open).toBe(false);
      const requestId = broker.of("producer")[0]?.requestId ?? -1;
      broker.last.tell("producerSuccess", { requestId, producerName: "n", producerReady: true });
      await opening;
    });

    it("refuses to encrypt, naming the transport that does", async () => {
      const encryption = { publicKeyPath: "/k.pem", keyNames: ["k"], onFailure: "FAIL" } as const;
      const opening = connect().transport.open(topic, { ...options, encryption }, never);
      await expect(opening).rejects.toMatchObject({
        code: "PIO_UNSUPPORTED_OPTION",
        remedy: expect.stringContaining("native transport"),
      });
    });

    it("names every host it could not reach", async () => {
      const failure = await tryToOpen({ serviceUrl: "pulsar://one:1,two:2" });
      expect(codeOf(failure)).toBe("PIO_PULSAR_UNREACHABLE");
      expect(failure).toMatchObject({ message: expect.stringContaining("one:1") });
      expect(failure).toMatchObject({ message: expect.stringContaining("two:2") });
    });

    it("takes the next host when the first is not there", async () => {
      const serviceUrl = "pulsar://nobody,broker";
      expect(await tryToOpen({ serviceUrl })).not.toBeInstanceOf(Error);
    });

    it("says when the other side is no broker", async () => {
      broker.answer("connect", (_, connection) => {
        connection.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
      });
      expect(codeOf(await tryToOpen())).toBe("PIO_PULSAR_PROTOCOL");
    });

    it("ends with the reason of its signal", async () => {
      broker.answer("producer", () => undefined);
      const stop = new AbortController();
      const opening = connect().transport.open(topic, options, stop.signal);
      await until(() => broker.of("producer").length === 1, clock);
      const reason = new Error("enough");
      stop.abort(reason);
      await expect(opening).rejects.toBe(reason);
      expect(broker.of("closeProducer")).toHaveLength(0);
      await until(() => broker.of("closeProducer").length === 1, clock);
    });
  });

  describe("after its first opening", () => {
    const reopened = (error: number, times: number) => {
      let asked = 0;
      broker.answer("producer", ({ requestId }, connection) => {
        asked += 1;
        if (asked > times) return false;
        connection.tell("error", { requestId, error, message: "no" });
        return undefined;
      });
      broker.last.socket.destroy();
    };

    it.each([3, 4, 6, 7, 8, 16, 11])("is patient with error %i", async (error) => {
      await tryToOpen();
      reopened(error, 3);
      await until(() => wire?.logger.linesOf("producer ready").length === 2, clock, 100);
    });

    it.each([
      [17, "PIO_INVALID_TOPIC_NAME"],
      [18, "PIO_BROKER_REFUSED"],
      [15, "PIO_TOPIC_TERMINATED"],
      [11, "PIO_TOPIC_NOT_FOUND"],
    ])("gives up in the end because of error %i", async (error, code) => {
      const publisher = (await tryToOpen()) as Publisher;
      const deliveries = new Deliveries();
      broker.onSend = () => undefined;
      deliveries.send(publisher, { value: Buffer.from("x") });
      reopened(error, Number.POSITIVE_INFINITY);
      await until(() => deliveries.settled === 1, clock, 500);
      expect(deliveries.failed.map(codeOf)).toEqual([code]);
      expect(wire?.logger.messages("error")).toEqual(["producer failed for good"]);
    });
  });

  it("closes a producer whose opening again was not answered, before it asks once more", async () => {
    await tryToOpen();
    let asked = 0;
    broker.answer("producer", () => {
      asked += 1;
      return asked === 1 ? undefined : false;
    });
    broker.last.socket.destroy();
    await until(() => wire?.logger.linesOf("producer ready").length === 2, clock, 1_000);
    const names = broker.last.commands.map((one) => one.name);
    expect(names.filter((name) => name.endsWith("roducer"))).toEqual([
      "producer",
      "closeProducer",
      "producer",
    ]);
  });

  describe("looking up a topic", () => {
    it("follows redirects with the authority they give", async () => {
      const owner = network.broker("owner");
      broker.answer("lookup", ({ requestId }, connection) =>
        connection.tell("lookupResponse", {
          requestId,
          response: 0,
          authoritative: true,
          brokerServiceUrl: owner.url,
        }),
      );
      expect(await tryToOpen()).not.toBeInstanceOf(Error);
      expect(broker.of("lookup").map((one) => one.authoritative)).toEqual([false]);
      expect(owner.of("lookup").map((one) => one.authoritative)).toEqual([true]);
      expect(owner.of("producer")).toHaveLength(1);
    });

    it("ends a redirection that leads in circles", async () => {
      broker.answer("lookup", ({ requestId }, connection) =>
        connection.tell("lookupResponse", { requestId, response: 0, brokerServiceUrl: broker.url }),
      );
      expect(await tryToOpen({ operationTimeoutMs: 100 })).toMatchObject({
        message: expect.stringContaining("redirected more than 20 times"),
      });
    });

    it("reaches a broker behind a proxy through the address that answered", async () => {
      broker.answer("lookup", ({ requestId }, connection) =>
        connection.tell("lookupResponse", {
          requestId,
          response: 1,
          brokerServiceUrl: "pulsar://hidden.example:6650",
          proxyThroughServiceUrl: true,
        }),
      );
      expect(await tryToOpen()).not.toBeInstanceOf(Error);
      expect(broker.of("connect").map((one) => one.proxyToBrokerUrl)).toEqual([
        undefined,
        "hidden.example:6650",
      ]);
      expect(broker.last.of("producer")).toHaveLength(1);
    });

    it("asks for the listener by name", async () => {
      await tryToOpen({ listenerName: "outside" });
      expect(broker.of("lookup")).toMatchObject([{ listenerName: "outside" }]);
    });
  });

  describe("keeping a connection", () => {
    it("asks for life every 30 s, and gives a silent broker up", async () => {
      await tryToOpen();
      const pings = broker.of("ping").length;
      await clock.advance(30_000);
      await until(() => broker.of("ping").length === pings + 1, clock);
      broker.answer("ping", () => undefined);
      await clock.settle();
      await clock.advance(30_000);
      await clock.settle();
      await clock.advance(32_000);
      await until(() => wire?.logger.messages().includes("connection to broker lost") === true, clock);
      await until(() => broker.connections.length === 2, clock);
    });

    it("answers the broker's PING", async () => {
      await tryToOpen();
      broker.last.tell("ping", {});
      await until(() => broker.of("pong").length === 1, clock);
    });

    it("lives on when a command comes that it does not know, and counts it", async () => {
      const publisher = (await tryToOpen()) as Publisher;
      // Type 79, of no protocol that we know.
      broker.last.socket.write(Buffer.from("000000060000000208" + "4f", "hex"));
      const deliveries = new Deliveries();
      deliveries.send(publisher, { value: Buffer.from("x") });
      await publisher.flush(never);
      expect(broker.connections).toHaveLength(1);
      expect(meter.value("pulsar_ts_io_broker_unknown_commands_total")).toBe(1);
    });

    it("leaves a broker whose frames make no sense, and comes back", async () => {
      await tryToOpen();
      broker.last.socket.write(Buffer.from("7fffffff", "hex"));
      await until(() => broker.of("producer").length === 2, clock);
      expect(wire?.logger.linesOf("connection to broker lost")[0]?.fields["err"]).toMatchObject({
        code: "PIO_PULSAR_PROTOCOL",
      });
    });

    it("gives up a broker that does not answer the handshake in 30 s", async () => {
      broker.answer("connect", () => undefined);
      expect(await tryToOpen({ operationTimeoutMs: 1_000 })).toMatchObject({
        code: "PIO_PULSAR_TIMEOUT",
        message: expect.stringContaining("handshake"),
      });
    });

    it("shares one connection between publishers to the same broker", async () => {
      const { transport } = connect();
      await Promise.all([1, 2, 3].map((n) => transport.open(`${topic}-${n}`, options, never)));
      expect(broker.connections).toHaveLength(1);
    });
  });

  describe("proving who it is", () => {
    it("reads the token anew when the broker asks for fresh credentials", async () => {
      environment["TOKEN"] = "first\n";
      await tryToOpen({ authPlugin: "token", authParams: "env:TOKEN" });
      expect(broker.of("connect").map((one) => Buffer.from(one.authData ?? []).toString())).toEqual([
        "first",
      ]);
      environment["TOKEN"] = "second\n";
      broker.last.tell("authChallenge", {
        challenge: { method: "token", data: Buffer.from("PulsarAuthRefresh") },
      });
      await until(() => broker.of("authResponse").length === 1, clock);
      const [response] = broker.of("authResponse");
      expect(response?.response?.method).toBe("token");
      expect(Buffer.from(response?.response?.data ?? []).toString()).toBe("second");
    });

    it("fails for good, without the token, when it is refused at first", async () => {
      broker.answer("connect", (_, connection) =>
        connection.tell("error", { requestId: -1, error: 3, message: "bad signature" }),
      );
      const failure = await tryToOpen({ authPlugin: "token", authParams: "token:s3cr3t" });
      expect(codeOf(failure)).toBe("PIO_PULSAR_AUTHENTICATION");
      expect(JSON.stringify([failure, String(failure), wire?.logger.lines])).not.toContain("s3cr3t");
    });

    describe("by OAuth2", () => {
      let issued = 0;
      const authParams = JSON.stringify({
        issuerUrl: "https://issuer.example",
        privateKey: `data:application/json,${encodeURIComponent('{"client_id":"me","client_secret":"s3cr3t"}')}`,
      });
      const oauth2 = { authPlugin: "oauth2", authParams };
      const tokens = (name: "connect" | "authResponse") =>
        name === "connect"
          ? broker.of("connect").map((one) => Buffer.from(one.authData ?? []).toString())
          : broker.of("authResponse").map((one) => Buffer.from(one.response?.data ?? []).toString());

      beforeEach(() => {
        issued = 0;
        fetchToken = async (_, init) => {
          if (init?.method !== "POST") return Response.json({ token_endpoint: "https://issuer.example/t" });
          issued += 1;
          return Response.json({ access_token: `token-${issued}`, expires_in: 3_600 });
        };
      });

      it("answers a challenge with a new token, also when the old one should still be good", async () => {
        await tryToOpen(oauth2);
        expect(tokens("connect")).toEqual(["token-1"]);
        broker.last.tell("authChallenge", {
          challenge: { method: "token", data: Buffer.from("PulsarAuthRefresh") },
        });
        await until(() => broker.of("authResponse").length === 1, clock);
        expect(broker.of("authResponse")[0]?.response?.method).toBe("token");
        expect(tokens("authResponse")).toEqual(["token-2"]);
      });

      it("keeps a token over connections, until the broker does not take it any more", async () => {
        await tryToOpen(oauth2);
        broker.last.socket.destroy();
        await until(() => wire?.logger.linesOf("producer ready").length === 2, clock, 100);
        expect(tokens("connect")).toEqual(["token-1", "token-1"]);
        broker.answer("connect", ({ authData }, connection) => {
          if (Buffer.from(authData ?? []).toString() !== "token-1") return false;
          connection.tell("error", { requestId: -1, error: 3, message: "revoked" });
          return undefined;
        });
        broker.last.socket.destroy();
        await until(() => wire?.logger.linesOf("producer ready").length === 3, clock, 100);
        expect(tokens("connect").slice(2)).toEqual(["token-1", "token-2"]);
      });

      it("stops asking when the transport is closed", async () => {
        fetchToken = (_, init) =>
          new Promise((_resolve, reject) => {
            init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
          });
        const opening = connect(oauth2).transport.open(topic, options, never);
        const outcome = opening.catch((error: unknown) => codeOf(error));
        await until(() => broker.connections.length === 1, clock);
        await clock.settle();
        await wire?.transport.close();
        expect(await outcome).toBe("PIO_PUBLISHER_CLOSED");
        expect(broker.open).toBe(0);
      });
    });

    it("wants TLS where a certificate is to be shown", () => {
      expect(() => connect({ authPlugin: "tls", authParams: "tlsCertFile:/c,tlsKeyFile:/k" })).toThrow(
        expect.objectContaining({
          code: "PIO_INVALID_AUTHENTICATION",
          remedy: expect.stringContaining("pulsar+ssl://"),
        }),
      );
    });

    it("comes back with a new token after the old one was refused", async () => {
      environment["TOKEN"] = "old";
      await tryToOpen({ authPlugin: "token", authParams: "env:TOKEN" });
      broker.answer("connect", ({ authData }, connection) => {
        if (Buffer.from(authData ?? []).toString() === "new") return false;
        connection.tell("error", { requestId: -1, error: 3, message: "expired" });
        return undefined;
      });
      broker.last.socket.destroy();
      await until(() => broker.connections.length === 3, clock);
      environment["TOKEN"] = "new";
      await until(() => wire?.logger.linesOf("producer ready").length === 2, clock, 100);
    });
  });
});
