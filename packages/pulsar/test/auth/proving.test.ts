import { codeOf } from "@pulsar-ts-io/core";
import type { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeBroker } from "../harness/fake-broker.ts";
import { OpeningRig } from "../harness/opening-rig.ts";
import { until } from "../harness/until.ts";
import { never } from "../harness/wire.ts";

describe("proving to a broker who one is", () => {
  let rig: OpeningRig;
  let broker: FakeBroker;
  let clock: TestClock;

  beforeEach(() => {
    rig = new OpeningRig();
    ({ broker, clock } = rig);
  });

  afterEach(() => rig.end());

  it("reads the token anew when the broker asks for fresh credentials", async () => {
    rig.environment["TOKEN"] = "first\n";
    await rig.tryToOpen({ authPlugin: "token", authParams: "env:TOKEN" });
    expect(broker.of("connect").map((one) => Buffer.from(one.authData ?? []).toString())).toEqual(["first"]);
    rig.environment["TOKEN"] = "second\n";
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
    const failure = await rig.tryToOpen({ authPlugin: "token", authParams: "token:s3cr3t" });
    expect(codeOf(failure)).toBe("PIO_PULSAR_AUTHENTICATION");
    expect(JSON.stringify([failure, String(failure), rig.wire?.logger.lines])).not.toContain("s3cr3t");
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
      rig.fetch = async (_, init) => {
        if (init?.method !== "POST") return Response.json({ token_endpoint: "https://issuer.example/t" });
        issued += 1;
        return Response.json({ access_token: `token-${issued}`, expires_in: 3_600 });
      };
    });

    it("answers a challenge with a new token, also when the old one should still be good", async () => {
      await rig.tryToOpen(oauth2);
      expect(tokens("connect")).toEqual(["token-1"]);
      broker.last.tell("authChallenge", {
        challenge: { method: "token", data: Buffer.from("PulsarAuthRefresh") },
      });
      await until(() => broker.of("authResponse").length === 1, clock);
      expect(broker.of("authResponse")[0]?.response?.method).toBe("token");
      expect(tokens("authResponse")).toEqual(["token-2"]);
    });

    it("keeps a token over connections, until the broker does not take it any more", async () => {
      await rig.tryToOpen(oauth2);
      broker.last.socket.destroy();
      await rig.ready(2);
      expect(tokens("connect")).toEqual(["token-1", "token-1"]);
      broker.answer("connect", ({ authData }, connection) => {
        if (Buffer.from(authData ?? []).toString() !== "token-1") return false;
        connection.tell("error", { requestId: -1, error: 3, message: "revoked" });
        return undefined;
      });
      broker.last.socket.destroy();
      await rig.ready(3);
      expect(tokens("connect").slice(2)).toEqual(["token-1", "token-2"]);
    });

    it("stops asking when the transport is closed", async () => {
      rig.fetch = (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
        });
      const opening = rig.open(never, oauth2);
      const outcome = opening.catch((error: unknown) => codeOf(error));
      await until(() => broker.connections.length === 1, clock);
      await clock.settle();
      await rig.wire?.transport.close();
      expect(await outcome).toBe("PIO_PUBLISHER_CLOSED");
      expect(broker.open).toBe(0);
    });
  });

  it("wants TLS where a certificate is to be shown", () => {
    expect(() => rig.connect({ authPlugin: "tls", authParams: "tlsCertFile:/c,tlsKeyFile:/k" })).toThrow(
      expect.objectContaining({
        code: "PIO_INVALID_AUTHENTICATION",
        remedy: expect.stringContaining("pulsar+ssl://"),
      }),
    );
  });

  it("comes back with a new token after the old one was refused", async () => {
    rig.environment["TOKEN"] = "old";
    await rig.tryToOpen({ authPlugin: "token", authParams: "env:TOKEN" });
    broker.answer("connect", ({ authData }, connection) => {
      if (Buffer.from(authData ?? []).toString() === "new") return false;
      connection.tell("error", { requestId: -1, error: 3, message: "expired" });
      return undefined;
    });
    broker.last.socket.destroy();
    await until(() => broker.connections.length === 3, clock);
    rig.environment["TOKEN"] = "new";
    await rig.ready(2);
  });
});
