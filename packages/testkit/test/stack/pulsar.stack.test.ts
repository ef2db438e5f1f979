import { expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../../test/stack.ts";
import { PulsarAdmin, readTopicToEnd, startPulsar } from "../../src/index.ts";

describeWithStack("startPulsar", () => {
  it("starts a broker that speaks TLS, and is trusted by its certificate alone", async () => {
    await using broker = await startPulsar({ tls: true, maxMessageSize: 1_000_000 });
    const { tlsServiceUrl: serviceUrl = "", tlsTrustCertsFile } = broker;
    expect(serviceUrl).toMatch(/^pulsar\+ssl:/);
    const topic = uniqueTopic();
    await new PulsarAdmin(broker.adminUrl).createTopic(topic);
    expect(await readTopicToEnd({ serviceUrl, topic, idleMs: 1, tlsTrustCertsFile })).toEqual([]);
    await expect(readTopicToEnd({ serviceUrl, topic, idleMs: 1 })).rejects.toMatchObject({
      code: "PIO_STACK_REQUEST_FAILED",
    });
  }, 300_000);

  it("starts a broker that wants a token, and comes back after a kill with its ports and data", async () => {
    await using broker = await startPulsar({ token: true });
    const { serviceUrl, adminUrl, token } = broker;
    const admin = new PulsarAdmin(adminUrl, { token });
    const topic = uniqueTopic();
    await admin.createPartitionedTopic(topic, 2);
    await expect(new PulsarAdmin(adminUrl).createNamespace("public/other")).rejects.toThrow(/401/);

    const stranger = readTopicToEnd({ serviceUrl, topic, idleMs: 1, token: broker.tokenFor("stranger") });
    await expect(stranger).rejects.toThrow(/not authorized|Authorization/i);
    const before = broker.pid;
    await broker.kill();
    await expect(admin.stats(`${topic}-partition-0`)).rejects.toThrow();
    await broker.restart();
    expect([broker.pid === before, broker.serviceUrl]).toEqual([false, serviceUrl]);
    expect(await readTopicToEnd({ serviceUrl, topic, idleMs: 1, token })).toEqual([]);
    expect(await admin.request("GET", `${topic.replace("://", "/")}/partitions`)).toMatchObject({
      partitions: 2,
    });
  }, 300_000);
});
