import { fileURLToPath } from "node:url";
import { systemClock } from "@pulsar-ts-io/core";
import { type LocalPulsar, type RecordingLogger, readTopicToEnd, startPulsar } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithStack, uniqueTopic } from "../../../test/stack.ts";
import { defaultPublisherOptions, type Publisher, type WireOptions } from "../src/index.ts";
import { Deliveries } from "./harness/recorded-delivery.ts";
import { startTokenIssuer } from "./harness/token-issuer.ts";
import { never, openWire } from "./harness/wire.ts";

const java = "org.apache.pulsar.client.impl.auth.";
const providers = "org.apache.pulsar.broker.authentication.AuthenticationProvider";
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url));
const trusting = {
  allowInsecure: false,
  hostnameVerification: true,
  trustCertPath: fixture("localhost.cert"),
};
/** jane, opensesame: a line of htpasswd. */
const passwords = "jane:$apr1$pulsario$EolKsIc5.JLJ2COyLnSWm/";

describeWithStack("a broker that wants to know who publishes", () => {
  let broker: LocalPulsar;
  let tlsServiceUrl: string;

  beforeAll(async () => {
    broker = await startPulsar({
      token: true,
      tls: true,
      settings: {
        advertisedAddress: "localhost",
        authenticationProviders: ["Token", "Tls", "Basic"].map((name) => providers + name).join(","),
        basicAuthConf: `data:;base64,${Buffer.from(passwords).toString("base64")}`,
        superUserRoles: "admin,localhost,jane",
        // Expired credentials are found within a second.
        authenticationRefreshCheckSeconds: 1,
        tlsEnabledWithKeyStore: false,
        tlsCertificateFilePath: fixture("localhost.cert"),
        tlsKeyFilePath: fixture("localhost.key"),
        // Whose clients are believed: here the certificate is its own authority.
        tlsTrustCertsFilePath: fixture("localhost.cert"),
      },
    });
    tlsServiceUrl = (broker.tlsServiceUrl ?? "").replace("127.0.0.1", "localhost");
  });

  afterAll(async () => {
    await broker[Symbol.asyncDispose]();
  });

  const connect = (options: Partial<WireOptions>, environment: Record<string, string> = {}) =>
    openWire({ serviceUrl: broker.serviceUrl, ...options }, systemClock, { environment });

  async function publish(publisher: Publisher, value: string): Promise<void> {
    const deliveries = new Deliveries();
    deliveries.send(publisher, { value: Buffer.from(value) });
    await publisher.flush(never);
    expect(deliveries.failed).toEqual([]);
  }

  async function publishes(options: Partial<WireOptions>): Promise<void> {
    const topic = uniqueTopic();
    await using transport = connect(options).transport;
    await publish(await transport.open(topic, defaultPublisherOptions, never), "hello");
    const read = await readTopicToEnd({
      serviceUrl: broker.serviceUrl,
      topic,
      token: broker.token,
      count: 1,
    });
    expect(read.map((message) => message.value?.toString())).toEqual(["hello"]);
  }

  const refusal = async (options: Partial<WireOptions>) => {
    await using transport = connect(options).transport;
    return await transport.open(uniqueTopic(), defaultPublisherOptions, never).then(
      () => "accepted",
      (reason: unknown) => reason,
    );
  };

  const certificate = {
    authPlugin: `${java}AuthenticationTls`,
    authParams: `tlsCertFile:${fixture("localhost.cert")},tlsKeyFile:${fixture("localhost.key")}`,
    tls: trusting,
  };

  it("believes a client certificate, and says that another authority's is not believed", async () => {
    await publishes({ ...certificate, serviceUrl: tlsServiceUrl });
    const authParams = JSON.stringify({
      tlsCertFile: fixture("other.cert"),
      tlsKeyFile: fixture("other.key"),
    });
    expect(await refusal({ ...certificate, authParams, serviceUrl: tlsServiceUrl })).toMatchObject({
      message: expect.stringMatching(/does not accept our client certificate|hung up before it answered/),
      remedy: expect.stringMatching(/client certificate|use a certificate/),
    });
  });

  it("believes a password, and refuses a wrong one without showing it", async () => {
    const authPlugin = `${java}AuthenticationBasic`;
    await publishes({ authPlugin, authParams: '{"userId":"jane","password":"opensesame"}' });
    const wrong = await refusal({ authPlugin, authParams: '{"userId":"jane","password":"s3cr3t"}' });
    expect(wrong).toMatchObject({ code: "PIO_PULSAR_AUTHENTICATION" });
    expect(JSON.stringify([wrong, String(wrong)])).not.toContain("s3cr3t");
  });

  it("believes a token over TLS and in plain, and refuses an expired one", async () => {
    const token = { authPlugin: "token", authParams: `token:${broker.tokenFor("admin")}` };
    await publishes(token);
    await publishes({ ...token, serviceUrl: tlsServiceUrl, tls: trusting });
    const expired = broker.tokenFor("admin", Date.now() - 60_000);
    expect(await refusal({ ...token, authParams: `token:${expired}` })).toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
      message: expect.not.stringContaining(expired),
    });
  });

  /** Publishes for `seconds`, a message each tenth of a second. */
  async function publishFor(publisher: Publisher, seconds: number): Promise<void> {
    for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
      await publish(publisher, String(tenth));
      await systemClock.sleep(100, never);
    }
  }

  const lost = (logger: RecordingLogger) => logger.linesOf("connection to broker lost").length;

  it("is answered when it asks for fresh credentials, and the connection lives on past each token's end", async () => {
    let minted = 0;
    const environment = {
      get TOKEN() {
        minted += 1;
        return broker.tokenFor("admin", Date.now() + 3_000);
      },
    };
    const { transport, logger } = connect({ authPlugin: "token", authParams: "env:TOKEN" }, environment);
    await using _ = transport;
    const publisher = await transport.open(uniqueTopic(), defaultPublisherOptions, never);
    await publishFor(publisher, 10);
    expect(minted).toBeGreaterThanOrEqual(3);
    expect(lost(logger)).toBe(0);
  });

  it("closes the connection of a token that stays expired; it is opened again with the next one, and nothing fails", async () => {
    const environment = { TOKEN: broker.tokenFor("admin", Date.now() + 3_000) };
    const { transport, logger } = connect({ authPlugin: "token", authParams: "env:TOKEN" }, environment);
    await using _ = transport;
    const publisher = await transport.open(uniqueTopic(), defaultPublisherOptions, never);
    await publish(publisher, "before");
    while (lost(logger) === 0) await systemClock.sleep(100, never);
    environment.TOKEN = broker.tokenFor("admin");
    await publish(publisher, "after");
    expect(JSON.stringify(logger.lines)).not.toContain(environment.TOKEN);
  });

  it("believes an issuer's access tokens, renewed before each ends", async () => {
    const client = { id: "me", secret: "s3cr3t" };
    await using issuer = await startTokenIssuer(client, 3, () =>
      broker.tokenFor("admin", Date.now() + 3_000),
    );
    const params = (secret: string) => {
      const key = JSON.stringify({ type: "client_credentials", client_id: client.id, client_secret: secret });
      return JSON.stringify({
        type: "client_credentials",
        issuerUrl: issuer.url,
        privateKey: `data:application/json;base64,${Buffer.from(key).toString("base64")}`,
        audience: "urn:pulsar",
      });
    };
    const authPlugin = `${java}oauth2.AuthenticationOAuth2`;
    const { transport, logger } = connect({ authPlugin, authParams: params(client.secret) });
    await using _ = transport;
    const publisher = await transport.open(uniqueTopic(), defaultPublisherOptions, never);
    await publishFor(publisher, 8);
    expect(issuer.asked.length).toBeGreaterThanOrEqual(3);
    expect(issuer.asked.at(-1)?.get("audience")).toBe("urn:pulsar");
    expect(lost(logger)).toBe(0);
    expect(await refusal({ authPlugin, authParams: params("wrong") })).toMatchObject({
      code: "PIO_PULSAR_AUTHENTICATION",
      message: `no access token from ${issuer.url}: it answered 401: invalid_client`,
    });
  });

  it("is told apart from a port that speaks the other way", async () => {
    const plain = broker.serviceUrl.replace("pulsar:", "pulsar+ssl:").replace("127.0.0.1", "localhost");
    expect(await refusal({ serviceUrl: plain, tls: trusting })).toMatchObject({
      code: "PIO_PULSAR_TLS",
      message: expect.stringContaining("the other side does not speak it"),
    });
    const secure = tlsServiceUrl.replace("pulsar+ssl:", "pulsar:");
    expect(await refusal({ serviceUrl: secure })).toMatchObject({
      remedy: expect.stringContaining("pulsar+ssl://"),
    });
  });
});
