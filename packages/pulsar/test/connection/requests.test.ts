import { silentLogger, silentMeter } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { ProtocolError, WireClient } from "../../src/index.ts";
import { FakeNetwork } from "../harness/fake-network.ts";
import { liveBytes } from "../harness/live-memory.ts";
import { never } from "../harness/wire.ts";

const topic = "persistent://public/default/t";
const tls = { allowInsecure: false, hostnameVerification: true };

function openClient() {
  const network = new FakeNetwork();
  const broker = network.broker("broker");
  const host = { clock: new TestClock(), logger: silentLogger, meter: silentMeter, dial: network.dial };
  return { broker, client: new WireClient({ serviceUrl: broker.url, tls }, host) };
}

describe("the requests of a connection", () => {
  it("leave nothing behind on it: partition counts are asked for as long as it lives", async () => {
    const { broker, client } = openClient();
    const ask = async (times: number) => {
      for (let time = 0; time < times; time += 1) await client.lookup.partitions(topic, false, never);
      broker.last.commands.length = 0;
      return await liveBytes();
    };
    const before = await ask(1_000);
    const after = await ask(4_000);
    expect(after - before).toBeLessThan(1_000_000);
    await client.close();
  }, 60_000);

  it("fail all together when it ends, with its reason", async () => {
    const { broker, client } = openClient();
    broker.answer("partitionedMetadata", () => undefined);
    const asked = [1, 2, 3].map(() => client.lookup.partitions(topic, false, never));
    const { connection } = await client.pool.service(never);
    connection.abandon(new ProtocolError("enough"));
    for (const result of await Promise.allSettled(asked)) {
      expect(result).toMatchObject({ status: "rejected", reason: { message: "enough" } });
    }
    await expect(connection.request("lookup", { topic }, "late", never)).rejects.toThrow("enough");
    await client.close();
  });
});
