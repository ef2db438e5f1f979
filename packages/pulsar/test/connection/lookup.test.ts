import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { OpeningRig } from "../harness/opening-rig.ts";

describe("looking up a topic", () => {
  let rig: OpeningRig;
  let broker: FakeBroker;

  beforeEach(() => {
    rig = new OpeningRig();
    ({ broker } = rig);
  });

  afterEach(() => rig.end());

  it("follows redirects with the authority they give", async () => {
    const owner = rig.network.broker("owner");
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", {
        requestId,
        response: 0,
        authoritative: true,
        brokerServiceUrl: owner.url,
      }),
    );
    expect(await rig.tryToOpen()).not.toBeInstanceOf(Error);
    expect(broker.of("lookup").map((one) => one.authoritative)).toEqual([false]);
    expect(owner.of("lookup").map((one) => one.authoritative)).toEqual([true]);
    expect(owner.of("producer")).toHaveLength(1);
  });

  it("ends a redirection that leads in circles", async () => {
    broker.answer("lookup", ({ requestId }, connection) =>
      connection.tell("lookupResponse", { requestId, response: 0, brokerServiceUrl: broker.url }),
    );
    expect(await rig.tryToOpen({ operationTimeoutMs: 100 })).toMatchObject({
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
    expect(await rig.tryToOpen()).not.toBeInstanceOf(Error);
    expect(broker.of("connect").map((one) => one.proxyToBrokerUrl)).toEqual([
      undefined,
      "hidden.example:6650",
    ]);
    expect(broker.last.of("producer")).toHaveLength(1);
  });

  it("asks for the listener by name", async () => {
    await rig.tryToOpen({ listenerName: "outside" });
    expect(broker.of("lookup")).toMatchObject([{ listenerName: "outside" }]);
  });
});
