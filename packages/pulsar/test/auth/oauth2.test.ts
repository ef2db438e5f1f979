import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TestClock } from "@pulsar-ts-io/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { resolveAuthentication } from "../../src/auth/resolve-authentication.ts";
import { never } from "../harness/wire.ts";

const issuerUrl = "https://issuer.example/tenant/";
const keyFile = { type: "client_credentials", client_id: "me", client_secret: "s3cr3t&=" };
const dataUrl = (key: unknown) =>
  `data:application/json;base64,${Buffer.from(JSON.stringify(key)).toString("base64")}`;

/** An issuer in this process, which answers each request as a test says. */
class FakeIssuer {
  readonly asked: { readonly url: string; readonly form: Readonly<Record<string, string>> | undefined }[] =
    [];
  metadata: () => Response = () => Response.json({ token_endpoint: "https://issuer.example/token" });
  token: () => Response | Promise<Response> = () =>
    Response.json({ access_token: `token-${this.asked.length / 2}`, expires_in: 100 });

  readonly fetch: typeof fetch = async (url, init) => {
    init?.signal?.throwIfAborted();
    const form = init?.body instanceof URLSearchParams ? Object.fromEntries(init.body.entries()) : undefined;
    this.asked.push({ url: String(url), form });
    return form === undefined ? this.metadata() : await this.token();
  };
}

describe("OAuth2 client credentials", () => {
  let issuer: FakeIssuer;
  let clock: TestClock;

  beforeEach(() => {
    issuer = new FakeIssuer();
    clock = new TestClock();
  });

  const oauth2 = (params: object, plugin = "oauth2") =>
    resolveAuthentication({
      plugin,
      params: JSON.stringify({ issuerUrl, privateKey: dataUrl(keyFile), ...params }),
      environment: { KEY: JSON.stringify(keyFile) },
      clock,
      fetch: issuer.fetch,
    });

  const text = async (authentication: ReturnType<typeof oauth2>) =>
    Buffer.from(await authentication.credentials(never)).toString();

  const failure = async (authentication: ReturnType<typeof oauth2>) => {
    const error = await authentication.credentials(never).catch((reason: unknown) => reason);
    expect(JSON.stringify([error, String(error)])).not.toContain("s3cr3t");
    return error;
  };

  it("finds the token endpoint by the issuer's metadata and asks it with the key file's secret, under Java's name too", async () => {
    const java = oauth2(
      { type: "client_credentials", audience: "urn:pulsar", scope: "produce consume" },
      "org.apache.pulsar.client.impl.auth.oauth2.AuthenticationOAuth2",
    );
    expect(java.method).toBe("token");
    expect(await text(java)).toBe("token-1");
    expect(issuer.asked).toEqual([
      { url: "https://issuer.example/tenant/.well-known/openid-configuration", form: undefined },
      {
        url: "https://issuer.example/token",
        form: {
          grant_type: "client_credentials",
          client_id: "me",
          client_secret: "s3cr3t&=",
          audience: "urn:pulsar",
          scope: "produce consume",
        },
      },
    ]);
  });

  it("leaves out what is not wanted", async () => {
    await text(oauth2({}));
    expect(Object.keys(issuer.asked[1]?.form ?? {})).toEqual(["grant_type", "client_id", "client_secret"]);
  });

  it("reads the key from a file, a variable, and data with or without Base64", async () => {
    const folder = await mkdtemp(join(tmpdir(), "oauth2-"));
    const file = join(folder, "key.json");
    await writeFile(file, JSON.stringify(keyFile));
    const percent = `data:application/json,${encodeURIComponent(JSON.stringify(keyFile))}`;
    for (const privateKey of [pathToFileURL(file).href, `file:${file}`, "env:KEY", percent]) {
      await text(oauth2({ privateKey }));
      expect(issuer.asked.at(-1)?.form).toMatchObject({ client_id: "me", client_secret: "s3cr3t&=" });
    }
    await rm(folder, { recursive: true });
    expect(await failure(oauth2({ privateKey: pathToFileURL(file).href }))).toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      message: `the key file could not be read from ${file}`,
    });
  });

  it("uses a token for nine tenths of its life, and the next one then", async () => {
    const authentication = oauth2({});
    expect(await text(authentication)).toBe("token-1");
    await clock.advance(89_999);
    expect(await text(authentication)).toBe("token-1");
    await clock.advance(1);
    expect(await text(authentication)).toBe("token-2");
  });

  it("asks anew each time when the issuer does not say how long a token lives", async () => {
    issuer.token = () => Response.json({ access_token: `t${issuer.asked.length}` });
    const authentication = oauth2({});
    expect([await text(authentication), await text(authentication)]).toEqual(["t2", "t4"]);
  });

  it("asks anew when the broker did not take the token", async () => {
    const authentication = oauth2({});
    await text(authentication);
    authentication.forget?.();
    expect(await text(authentication)).toBe("token-2");
  });

  it.each([
    [
      401,
      '{"error":"invalid_client","error_description":"s3cr3t is wrong"}',
      "it answered 401: invalid_client",
    ],
    [404, "not found", "it answered 404"],
    [200, "<html>", "its answer is no JSON object"],
    [200, "{}", "its answer holds no access_token"],
  ])("fails for good when the token is answered with %i %s", async (status, body, why) => {
    issuer.token = () => new Response(body, { status });
    expect(await failure(oauth2({}))).toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
      message: `no access token from https://issuer.example/tenant: ${why}`,
      remedy: expect.stringContaining("issuerUrl"),
    });
  });

  it.each(["{}", '{"token_endpoint":"ftp://x"}', '{"token_endpoint":7}'])(
    "fails for good when the metadata is %s",
    async (metadata) => {
      issuer.metadata = () => new Response(metadata);
      expect(await failure(oauth2({}))).toMatchObject({
        message: "no access token from https://issuer.example/tenant: its metadata names no token_endpoint",
      });
    },
  );

  it("shows the secret to no token endpoint without TLS when the issuer has it", async () => {
    issuer.metadata = () => Response.json({ token_endpoint: "http://issuer.example/token" });
    expect(await failure(oauth2({}))).toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
      message: expect.stringContaining("a token_endpoint without TLS"),
    });
    expect(issuer.asked).toHaveLength(1);
  });

  it("shows the secret to nobody that a token endpoint points to", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const { host } = request.headers;
      asked.push(String(request.url));
      if (request.method === "GET") response.end(JSON.stringify({ token_endpoint: `http://${host}/token` }));
      else response.writeHead(307, { location: `http://${host}/elsewhere` }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens to TCP
    const authentication = resolveAuthentication({
      plugin: "oauth2",
      params: JSON.stringify({ issuerUrl: `http://127.0.0.1:${port}`, privateKey: dataUrl(keyFile) }),
      environment: {},
      clock,
      fetch,
    });
    expect(await failure(authentication)).toMatchObject({ code: "PIO_PULSAR_UNREACHABLE" });
    expect(asked).toEqual(["/.well-known/openid-configuration", "/token"]);
    server.closeAllConnections();
    server.close();
  });

  it.each([429, 500, 503])("may be tried again when the issuer answers %i", async (status) => {
    issuer.token = () => new Response("", { status });
    expect(await failure(oauth2({}))).toMatchObject({ code: "PIO_PULSAR_UNREACHABLE", retryable: true });
  });

  it("says why the issuer cannot be reached", async () => {
    issuer.token = () => {
      throw new TypeError("fetch failed", {
        cause: Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
      });
    };
    expect(await failure(oauth2({}))).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message:
        "no access token from https://issuer.example/tenant: connect ECONNREFUSED 127.0.0.1:1 (ECONNREFUSED)",
    });
  });

  it.each([
    [{}, 10_000],
    [{ connectTimeout: "PT2S" }, 32_000],
    [{ connectTimeout: "PT1.5S", readTimeout: "PT1M" }, 61_500],
  ])("gives a silent issuer with %o %i ms, and leaves no timer", async (timeouts, ms) => {
    const silent: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    const authentication = resolveAuthentication({
      plugin: "oauth2",
      params: JSON.stringify({ issuerUrl, privateKey: dataUrl(keyFile), ...timeouts }),
      environment: {},
      clock,
      fetch: silent,
    });
    const asking = authentication.credentials(never).catch((reason: unknown) => reason);
    await clock.settle();
    await clock.advance(ms);
    expect(await asking).toMatchObject({
      code: "PIO_PULSAR_UNREACHABLE",
      message: `no access token from https://issuer.example/tenant: it did not answer in ${ms} ms`,
    });
    expect(clock.sleepers).toBe(0);
  });

  it.each(["10", "PT", "PT0S", "PT25H", "P1D"])("refuses %s as a time-out", (readTimeout) => {
    expect(() => oauth2({ readTimeout })).toThrow(
      "readTimeout is no duration of at most a day, such as PT10S",
    );
  });

  it("says where to name the certificates to trust", () => {
    expect(() => oauth2({ trustCertsFilePath: "/ca.pem" })).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining("NODE_EXTRA_CA_CERTS") }),
    );
  });

  it.each(["{}", "no JSON s3cr3t", '{"client_id":"me"}'])("refuses the key file %s", async (key) => {
    const privateKey = `data:application/json;base64,${Buffer.from(key).toString("base64")}`;
    expect(await failure(oauth2({ privateKey }))).toMatchObject({
      code: "PIO_INVALID_AUTHENTICATION",
      remedy: 'the key file holds {"client_id":"…","client_secret":"…"}',
    });
  });
});
