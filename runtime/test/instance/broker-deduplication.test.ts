import { systemClock } from "@pulsar-ts-io/core";
import { WebService } from "@pulsar-ts-io/pulsar";
import { describe, expect, it } from "vitest";
import { startWebService } from "../../../packages/pulsar/test/harness/web-service-stub.ts";
import { BrokerDeduplication } from "../../src/instance/broker-deduplication.ts";

const tls = { trustCertPath: undefined, allowInsecure: false, hostnameVerification: true };
const never = new AbortController().signal;

function asking(webServiceUrl: string): BrokerDeduplication {
  return new BrokerDeduplication(() => new WebService({ webServiceUrl, tls }, { clock: systemClock }));
}

describe("BrokerDeduplication", () => {
  it("lets a topic pass that deduplicates", async () => {
    await using web = await startWebService(() => ({ status: 200, body: "true" }));
    await asking(web.url).ensure("events", never);
  });

  it("names the command that makes the topic deduplicate", async () => {
    await using web = await startWebService(() => ({ status: 200, body: "false" }));
    await expect(asking(web.url).ensure("tenant/ns/events", never)).rejects.toMatchObject({
      code: "PIO_NOT_DEDUPLICATED",
      message: "persistent://tenant/ns/events does not deduplicate, and EFFECTIVELY_ONCE needs it",
      remedy: expect.stringContaining("pulsar-admin namespaces set-deduplication --enable tenant/ns,"),
    });
  });

  it("sends records of a topic that is not persistent to another one", async () => {
    await expect(asking("http://127.0.0.1:1").ensure("non-persistent://a/b/c", never)).rejects.toMatchObject({
      code: "PIO_NOT_DEDUPLICATED",
      remedy: "publish to a persistent topic",
    });
  });

  it.each([
    ["the broker refuses the question", () => ({ status: 403, body: '{"reason":"no"}' }), "403 (no)"],
    ["the broker does not know", () => ({ status: 200, body: "" }), "200"],
  ])("says what to do when %s", async (_, reply, why) => {
    await using web = await startWebService(reply);
    await expect(asking(web.url).ensure("events", never)).rejects.toMatchObject({
      code: "PIO_DEDUPLICATION_UNKNOWN",
      message: expect.stringContaining(why),
      remedy: expect.stringContaining("--assume-deduplication"),
    });
  });

  it("says the same when there is no way to ask", async () => {
    const nobody = new BrokerDeduplication(() => {
      throw new Error("only Pulsar's own client has Kerberos");
    });
    await expect(nobody.ensure("events", never)).rejects.toMatchObject({
      code: "PIO_DEDUPLICATION_UNKNOWN",
      message: expect.stringContaining("has Kerberos"),
    });
  });
});
