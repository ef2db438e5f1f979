import { describe, expect, it } from "vitest";
import { readTopicDeduplication } from "../../src/admin/topic-deduplication.ts";
import { never, webService } from "../harness/web-service.ts";
import { startWebService } from "../harness/web-service-stub.ts";

const topic = "persistent://public/default/events";
const yes = { status: 200, body: "true" };

describe("readTopicDeduplication", () => {
  it.each([
    ["true", true],
    ["false", false],
    ["true\n", true],
  ])("reads the answer %j", async (body, expected) => {
    await using web = await startWebService(() => ({ status: 200, body }));
    expect(await readTopicDeduplication(webService(web.url), topic, never)).toBe(expected);
    expect(web.asked.map(({ path }) => path)).toEqual([
      "/admin/v2/persistent/public/default/events/deduplicationEnabled?applied=true",
    ]);
  });

  it("asks about the topic when it is given a partition, which the broker would refuse", async () => {
    await using web = await startWebService(() => yes);
    await readTopicDeduplication(webService(web.url), `${topic}-partition-3`, never);
    await readTopicDeduplication(webService(web.url), "persistent://t/n/a b%", never);
    expect(web.asked.map(({ path }) => path.split("?")[0])).toEqual([
      "/admin/v2/persistent/public/default/events/deduplicationEnabled",
      "/admin/v2/persistent/t/n/a%20b%25/deduplicationEnabled",
    ]);
  });

  it("knows of topics that are not persistent without asking", async () => {
    await using web = await startWebService(() => yes);
    const answer = readTopicDeduplication(webService(web.url), "non-persistent://public/default/x", never);
    expect(await answer).toBe(false);
    expect(web.asked).toEqual([]);
  });

  it.each([
    [401, "PIO_PULSAR_AUTHENTICATION"],
    [403, "PIO_PULSAR_AUTHORIZATION"],
    [404, "PIO_TOPIC_NOT_FOUND"],
    [412, "PIO_BROKER_REFUSED"],
    [503, "PIO_BROKER_REFUSED"],
  ])("tells of the refusal %i with %s and the broker's reason", async (status, code) => {
    await using web = await startWebService(() => ({ status, body: '{"reason":"not today"}' }));
    await expect(readTopicDeduplication(webService(web.url), topic, never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`${status} (not today)`),
    });
  });

  describe("where the broker has no policies of topics", () => {
    const noPolicies = { status: 405, body: '{"reason":"Topic level policies is disabled"}' };
    const setting = (value: boolean) => ({
      status: 200,
      body: JSON.stringify({ clusterName: "c", brokerDeduplicationEnabled: String(value), zooKeeper: "" }),
    });

    const read = async (namespace: object, broker: object = setting(true)): Promise<unknown> => {
      await using web = await startWebService(({ path }) => ({
        status: 200,
        ...(path.startsWith("/admin/v2/persistent/") ? noPolicies : {}),
        ...(path === "/admin/v2/namespaces/public/default/deduplication" ? namespace : {}),
        ...(path === "/admin/v2/brokers/configuration/runtime" ? broker : {}),
      }));
      return await readTopicDeduplication(webService(web.url), topic, never).catch((error) => error);
    };

    it.each([true, false])("takes the namespace's own policy: %s", async (value) => {
      expect(await read({ body: String(value) }, setting(!value))).toBe(value);
    });

    it.each([{ status: 204 }, { body: "" }, { body: "null" }])(
      "takes the broker's setting where the namespace has none: %j",
      async (namespace) => {
        expect(await read(namespace, setting(true))).toBe(true);
        expect(await read(namespace, setting(false))).toBe(false);
      },
    );

    it("advises to state it for the namespace where the broker's setting may not be read", async () => {
      expect(await read({ status: 204 }, { status: 403 })).toMatchObject({
        code: "PIO_PULSAR_AUTHORIZATION",
        remedy:
          "state it for the namespace: pulsar-admin namespaces set-deduplication --enable public/default",
      });
    });
  });

  it.each(["", "null", "<html>true</html>"])("takes %j for no answer", async (body) => {
    await using web = await startWebService(() => ({ status: 200, body }));
    await expect(readTopicDeduplication(webService(web.url), topic, never)).rejects.toMatchObject({
      code: "PIO_BROKER_REFUSED",
    });
  });
});
