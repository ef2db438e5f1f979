import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readTopicDeduplication } from "../src/admin/topic-deduplication.ts";
import { resolveAuthentication } from "../src/auth/resolve-authentication.ts";
import { proxiedFetch } from "../src/connection/proxy-connection.ts";
import { proxyFor } from "../src/http-proxy.ts";
import { startProxy } from "./harness/proxy-stub.ts";
import { startTokenIssuer } from "./harness/token-issuer.ts";
import { verifiedTls, webService } from "./harness/web-service.ts";
import { startWebService } from "./harness/web-service-stub.ts";
import { never } from "./harness/wire.ts";

const yes = { status: 200, body: "true" };
const login = `Basic ${Buffer.from("user:hush@hush").toString("base64")}`;
/** A host that only the proxy knows, with the port of a server on this machine. */
const behind = (url: string, host: string) => `${new URL(url).protocol}//${host}:${new URL(url).port}`;
const pem = (name: string) => fileURLToPath(new URL(`./fixtures/${name}.pem`, import.meta.url));

beforeEach(() => {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the admin API behind a proxy", () => {
  it.each(["HTTP_PROXY", "http_proxy"])("gets requests without TLS through %s", async (variable) => {
    await using web = await startWebService(() => yes);
    await using proxy = await startProxy();
    setEnvironment(variable, proxy.url);
    const url = behind(web.url, "pulsar.test");
    expect(await webService(url).get("/a?b=c", never)).toMatchObject({ status: 200, text: "true" });
    expect(proxy.asked).toEqual([`GET ${url}/a?b=c`]);
    expect(proxy.logins).toEqual([login]);
    expect(web.asked).toMatchObject([{ path: "/a?b=c", headers: { host: new URL(url).host } }]);
  });

  it.each(["HTTPS_PROXY", "https_proxy"])(
    "gets requests with TLS through a tunnel of %s",
    async (variable) => {
      await using web = await startWebService(() => yes, "localhost");
      await using proxy = await startProxy();
      setEnvironment(variable, proxy.url);
      const url = behind(web.url, "pulsar.test");
      const tls = { ...verifiedTls, trustCertPath: pem("localhost.cert"), hostnameVerification: false };
      const authPlugin = "tls";
      const authParams = `tlsCertFile:${pem("other.cert")},tlsKeyFile:${pem("other.key")}`;
      const service = webService(url, { tls, authPlugin, authParams });
      expect(await service.get("/a", never)).toMatchObject({ status: 200, text: "true" });
      expect(proxy.asked).toEqual([`CONNECT ${new URL(url).host}`]);
      expect(proxy.logins).toEqual([login]);
      expect(web.identities).toEqual([true]);
    },
  );

  it("is judged by the trust settings of the broker through the tunnel too", async () => {
    await using web = await startWebService(() => yes, "localhost");
    await using proxy = await startProxy();
    setEnvironment("HTTPS_PROXY", proxy.url);
    const url = behind(web.url, "pulsar.test");
    const untrusted = webService(url, { tls: { ...verifiedTls, hostnameVerification: false } });
    const through = `through the proxy http://${proxy.host}: the certificate`;
    const failure = { code: "PIO_PULSAR_TLS", message: expect.stringContaining(through) };
    await expect(untrusted.get("/", never)).rejects.toMatchObject(failure);
    const otherHost = webService(url, { tls: { ...verifiedTls, trustCertPath: pem("localhost.cert") } });
    await expect(otherHost.get("/", never)).rejects.toMatchObject({
      code: "PIO_PULSAR_TLS",
      message: expect.stringContaining("for another host"),
    });
    expect(web.asked).toEqual([]);
  });

  it.each(["NO_PROXY", "no_proxy"])(
    "is asked directly when %s lists it, and on this machine",
    async (variable) => {
      await using web = await startWebService(() => yes);
      await using proxy = await startProxy();
      setEnvironment("HTTP_PROXY", proxy.url);
      expect(await webService(web.url).get("/", never)).toMatchObject({ status: 200 });
      expect(proxyFor(new URL("http://pulsar.test:8080"))?.href).toContain(proxy.host);
      setEnvironment(variable, ".test");
      expect(proxyFor(new URL("http://pulsar.test:8080"))).toBeUndefined();
      // Another name of this machine, which only the variable keeps from the proxy.
      setEnvironment(variable, "0.0.0.0");
      expect(await webService(behind(web.url, "0.0.0.0")).get("/", never)).toMatchObject({ status: 200 });
      expect(web.asked).toHaveLength(2);
      expect(proxy.asked).toEqual([]);
    },
  );

  it.each([
    ["http", 407],
    ["https", 407],
    ["https", 403],
  ])("names the proxy that refuses %s with status %i, not its password", async (scheme, status) => {
    await using proxy = await startProxy(status);
    setEnvironment(`${scheme.toUpperCase()}_PROXY`, proxy.url);
    const error = await failureOf(webService(`${scheme}://pulsar.test:8443`).get("/", never));
    expect(error).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      retryable: true,
      message: `no answer of the admin API at pulsar.test:8443: the proxy http://${proxy.host} refused the connection with status ${status}`,
      remedy: expect.stringMatching(/HTTPS_PROXY.*pulsar\.test:8443.*NO_PROXY/),
    });
  });

  it("names the proxy when the answer may be the proxy's own", async () => {
    await using proxy = await startProxy(403);
    setEnvironment("HTTP_PROXY", proxy.url);
    const service = webService("http://pulsar.test:8080");
    await expect(readTopicDeduplication(service, "orders", never)).rejects.toThrow(
      `was refused through the proxy http://${proxy.host}: 403`,
    );
  });

  it.each([
    ["http://127.0.0.1:1", "cannot be reached (ECONNREFUSED)"],
    ["http://user:hush%@127.0.0.1:1", "has a user or a password that is not percent-encoded"],
    ["socks5://127.0.0.1:1", "is not an HTTP proxy: only http:// and https:// are supported"],
  ])("names a proxy that does not work: %s %s", async (url, why) => {
    vi.stubEnv("HTTPS_PROXY", url);
    await expect(webService("https://pulsar.test").get("/", never)).rejects.toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: `no answer of the admin API at pulsar.test:8443: the proxy ${url.replace(/\/\/.*@/, "//")} ${why}`,
    });
  });

  it.each(["http", "https"])(
    "is waited for ten seconds when the proxy of %s never answers",
    async (scheme) => {
      await using proxy = await startProxy("silent");
      setEnvironment(`${scheme.toUpperCase()}_PROXY`, proxy.url);
      const clock = new TestClock();
      const failure = failureOf(webService(`${scheme}://pulsar.test:8443`, {}, clock).get("/", never));
      await vi.waitFor(() => expect(proxy.asked).toHaveLength(1), { timeout: 10_000 });
      await clock.advance(10_000);
      expect(await failure).toMatchObject({
        code: "PIO_PULSAR_UNREACHABLE",
        message: `no answer of the admin API at pulsar.test:8443: nothing came in 10000 ms through the proxy http://${proxy.host}`,
      });
    },
  );
});

describe("the OAuth2 token issuer behind a proxy", () => {
  const client = { id: "me", secret: "s3cr3t" };

  function tokenOf(issuerUrl: string, clock: Clock = systemClock): Promise<string> {
    const key = JSON.stringify({ client_id: client.id, client_secret: client.secret });
    const authentication = resolveAuthentication({
      plugin: "oauth2",
      params: JSON.stringify({ issuerUrl, privateKey: "env:KEY" }),
      environment: { KEY: key },
      clock,
      fetch: proxiedFetch,
    });
    return Promise.resolve(authentication.credentials(never)).then((bytes) => Buffer.from(bytes).toString());
  }

  it("gets requests without TLS through HTTP_PROXY, and directly on this machine", async () => {
    await using issuer = await startTokenIssuer(client, 100, () => "token");
    await using proxy = await startProxy();
    setEnvironment("HTTP_PROXY", proxy.url);
    const url = behind(issuer.url, "issuer.test");
    // Its metadata names a token endpoint on this machine.
    expect(await tokenOf(url)).toBe("token");
    expect(proxy.asked).toEqual([`GET ${url}/.well-known/openid-configuration`]);
    expect(proxy.logins).toEqual([login]);
  });

  it("gets forms with TLS through a tunnel of HTTPS_PROXY, and a redirect of its metadata is followed", async () => {
    const asked: string[] = [];
    const key = readFileSync(pem("localhost.key"));
    const cert = readFileSync(pem("localhost.cert"));
    const server = createServer({ key, cert }, (request, response) => {
      void text(request).then((form) => {
        asked.push(`${request.method} ${request.headers.host}${request.url} ${form}`);
        if (request.url?.startsWith("/.well-known") === true)
          return void response.writeHead(302, { location: "/moved" }).end();
        const metadata = { token_endpoint: `https://${request.headers.host}/token` };
        response.end(JSON.stringify(request.url === "/moved" ? metadata : { access_token: "token" }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const host = `issuer.test:${(server.address() as AddressInfo).port}`; // it listens on TCP
    await using proxy = await startProxy();
    setEnvironment("HTTPS_PROXY", proxy.url);
    try {
      await expect(tokenOf(`https://${host}`)).rejects.toMatchObject({
        code: "PIO_PULSAR_UNREACHABLE",
        message: expect.stringMatching(/certificate.* through the proxy http:/),
      });
      expect(asked).toEqual([]);
      // The certificate is one of this repository's own.
      vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
      expect(await tokenOf(`https://${host}`)).toBe("token");
      expect(asked).toEqual([
        `GET ${host}/.well-known/openid-configuration `,
        `GET ${host}/moved `,
        `POST ${host}/token grant_type=client_credentials&client_id=me&client_secret=s3cr3t`,
      ]);
      expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${host}`]));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    ["http", 407],
    ["https", 407],
    ["https", 403],
  ])("names the proxy that refuses %s with status %i, not its password", async (scheme, status) => {
    await using proxy = await startProxy(status);
    setEnvironment(`${scheme.toUpperCase()}_PROXY`, proxy.url);
    expect(await failureOf(tokenOf(`${scheme}://issuer.test`))).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: `no access token from ${scheme}://issuer.test: the proxy http://${proxy.host} refused the connection with status ${status}`,
      remedy: expect.stringMatching(/HTTPS_PROXY.*issuer\.test.*NO_PROXY/),
    });
  });

  it.each(["http", "https"])(
    "is waited for ten seconds when the proxy of %s never answers",
    async (scheme) => {
      await using proxy = await startProxy("silent");
      setEnvironment(`${scheme.toUpperCase()}_PROXY`, proxy.url);
      const clock = new TestClock();
      const failure = failureOf(tokenOf(`${scheme}://issuer.test`, clock));
      await vi.waitFor(() => expect(proxy.asked).toHaveLength(1), { timeout: 10_000 });
      await clock.advance(10_000);
      expect(await failure).toMatchObject({
        code: "PIO_PULSAR_UNREACHABLE",
        message: `no access token from ${scheme}://issuer.test: it did not answer in 10000 ms through the proxy http://${proxy.host}`,
      });
    },
  );
});

function setEnvironment(name: string, value: string): void {
  vi.stubEnv(name, value);
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(JSON.stringify([error, String(error)])).not.toMatch(/hush|s3cr3t/);
  return error;
}
