import { codeOf, remedyOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultPublisherOptions } from "../../src/index.ts";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { OpeningRig } from "../harness/opening-rig.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";

describe("the first opening of a publisher", () => {
  let rig: OpeningRig;
  let broker: FakeBroker;
  let clock: TestClock;

  beforeEach(() => {
    rig = new OpeningRig();
    ({ broker, clock } = rig);
  });

  afterEach(() => rig.end());

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
    const failure = await rig.tryToOpen();
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
      expect(await rig.tryToOpen()).toMatchObject({ retryable: true });
      expect(clock.monotonic() - start).toBeGreaterThan(10_000);
      expect(clock.monotonic() - start).toBeLessThanOrEqual(31_000);
      expect(broker.of("producer").length).toBeGreaterThan(5);
      expect(rig.wire?.logger.messages("warn")).toEqual(["producer not opened, trying again"]);
    },
  );

  it.each([
    ["lookup", 4, "PIO_PULSAR_AUTHORIZATION"],
    ["lookup", 11, "PIO_TOPIC_NOT_FOUND"],
  ] as const)("gives up at once when the %s fails with %i", async (_, error, code) => {
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", { requestId, response: 2, error, message: "no" }),
    );
    expect(codeOf(await rig.tryToOpen())).toBe(code);
  });

  it("gives up at once when the partition count is refused for good", async () => {
    broker.answer("partitionedMetadata", ({ requestId }, connection) =>
      connection.tell("partitionedMetadataResponse", { requestId, response: 1, error: 4, message: "no" }),
    );
    expect(codeOf(await rig.tryToOpen())).toBe("PIO_PULSAR_AUTHORIZATION");
  });

  it("waits for a producer that is queued, and opens it when its turn comes", async () => {
    broker.answer("producer", ({ requestId }, connection) =>
      connection.tell("producerSuccess", { requestId, producerName: "n", producerReady: false }),
    );
    let open = false;
    const opening = rig.open().then(() => {
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
    const opening = rig.connect().transport.open("t", { ...defaultPublisherOptions, encryption }, never);
    await expect(opening).rejects.toMatchObject({
      code: "PIO_UNSUPPORTED_OPTION",
      remedy: expect.stringContaining("native transport"),
    });
  });

  it("names every host it could not reach", async () => {
    const failure = await rig.tryToOpen({ serviceUrl: "pulsar://one:1,two:2" });
    expect(codeOf(failure)).toBe("PIO_PULSAR_UNREACHABLE");
    expect(failure).toMatchObject({ message: expect.stringContaining("one:1") });
    expect(failure).toMatchObject({ message: expect.stringContaining("two:2") });
  });

  it("takes the next host when the first is not there", async () => {
    const serviceUrl = "pulsar://nobody,broker";
    expect(await rig.tryToOpen({ serviceUrl })).not.toBeInstanceOf(Error);
  });

  it("says when the other side is no broker", async () => {
    broker.answer("connect", (_, connection) => {
      connection.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    expect(codeOf(await rig.tryToOpen())).toBe("PIO_PULSAR_PROTOCOL");
  });

  it("ends with the reason of its signal", async () => {
    broker.answer("producer", () => undefined);
    const stop = new AbortController();
    const opening = rig.open(stop.signal);
    await until(() => broker.of("producer").length === 1, clock);
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(opening).rejects.toBe(reason);
    expect(broker.of("closeProducer")).toHaveLength(0);
    await until(() => broker.of("closeProducer").length === 1, clock);
  });
});
