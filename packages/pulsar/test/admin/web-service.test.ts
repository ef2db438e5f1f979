import { fileURLToPath } from "node:url";
import { TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { never, verifiedTls, webService } from "../harness/web-service.ts";
import { startWebService } from "../harness/web-service-stub.ts";

const yes = { status: 200, body: "true" };

describe("WebService", () => {
  it.each([
    ["token", "token:abc", "Bearer abc"],
    ["org.apache.pulsar.client.impl.auth.AuthenticationToken", "env:PASS", "Bearer secret"],
    ["basic", '{"userId":"me","password":"mine"}', `Basic ${Buffer.from("me:mine").toString("base64")}`],
  ])("says who we are by %s as the broker is told", async (authPlugin, authParams, header) => {
    await using web = await startWebService(() => yes);
    await webService(web.url, { authPlugin, authParams }).get("/", never);
    expect(web.asked[0]?.headers.authorization).toBe(header);
  });

  it("asks the next host when one is out of reach", async () => {
    await using web = await startWebService(() => yes);
    const both = `http://127.0.0.1:1,${web.url.slice("http://".length)}`;
    expect(await webService(both).get("/", never)).toEqual({ status: 200, text: "true" });
  });

  it("follows a broker's redirect to the broker that has the topic, credentials included", async () => {
    await using owner = await startWebService(() => yes);
    await using web = await startWebService(({ path }) => ({
      status: 307,
      location: `${owner.url}${path}&authoritative=true`,
    }));
    const service = webService(web.url, { authPlugin: "token", authParams: "abc" });
    expect(await service.get("/a?b=c", never)).toEqual({ status: 200, text: "true" });
    expect(owner.asked).toMatchObject([
      { path: "/a?b=c&authoritative=true", headers: { authorization: "Bearer abc" } },
    ]);
  });

  it("takes credentials that came by TLS nowhere without it", async () => {
    await using plain = await startWebService(() => yes);
    await using web = await startWebService(() => ({ status: 307, location: plain.url }), "localhost");
    const service = webService(web.url, { tls: { ...verifiedTls, trustCertPath: pem("localhost.cert") } });
    await expect(service.get("/", never)).rejects.toMatchObject({ code: "PIO_PULSAR_PROTOCOL" });
    expect(plain.asked).toEqual([]);
  });

  it("ends redirects that have no end", async () => {
    await using web = await startWebService(({ headers }) => ({
      status: 302,
      location: `http://${headers.host}/`,
    }));
    await expect(webService(web.url).get("/", never)).rejects.toMatchObject({ code: "PIO_PULSAR_PROTOCOL" });
    expect(web.asked.length).toBeLessThan(20);
  });

  it("judges certificates as the broker's are judged, and shows our own", async () => {
    await using web = await startWebService(() => yes, "localhost");
    await expect(webService(web.url).get("/", never)).rejects.toMatchObject({ code: "PIO_PULSAR_TLS" });
    const trusting = { tls: { ...verifiedTls, trustCertPath: pem("localhost.cert") } };
    expect(await webService(web.url, trusting).get("/", never)).toMatchObject({ status: 200 });
    const identity = {
      authPlugin: "tls",
      authParams: `tlsCertFile:${pem("other.cert")},tlsKeyFile:${pem("other.key")}`,
    };
    expect(await webService(web.url, { ...trusting, ...identity }).get("/", never)).toMatchObject({
      status: 200,
    });
    expect(web.identities).toEqual([false, true]);
  });

  it("waits ten seconds for an answer", async () => {
    await using web = await startWebService(() => undefined);
    const clock = new TestClock();
    const answer = webService(web.url, {}, clock).get("/", never);
    answer.catch(() => undefined);
    while (web.asked.length === 0) await new Promise(setImmediate);
    await clock.advance(10_000);
    await expect(answer).rejects.toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: expect.stringContaining("nothing came in 10000 ms"),
    });
  });

  it("stops at once when it is told to", async () => {
    const stop = new AbortController();
    await using web = await startWebService(() => undefined);
    const answer = webService(web.url).get("/", stop.signal);
    answer.catch(() => undefined);
    while (web.asked.length === 0) await new Promise(setImmediate);
    stop.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
  });

  it.each([
    "pulsar://host:6650",
    "http://",
    "http://a:0",
    "http://a/path",
    "http://user:pass@host",
    "host:8080",
  ])("refuses the address %s, and repeats no credentials", (url) => {
    expect(() => webService(url)).toThrow(expect.objectContaining({ code: "PIO_INVALID_SERVICE_URL" }));
    expect(() => webService(url)).not.toThrow("user:pass");
  });
});

function pem(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.pem`, import.meta.url));
}
