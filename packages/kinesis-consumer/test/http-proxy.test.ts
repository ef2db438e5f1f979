import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { ListShardsCommand, SubscribeToShardCommand } from "@aws-sdk/client-kinesis";
import { type KinesisDouble, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwsClients, createAwsClients } from "../src/aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../src/aws-failure.ts";
import { http2Through, proxyFor } from "../src/http-proxy.ts";
import { unstopped } from "./support/unstopped.ts";

const credentials = { accessKeyId: "any", secretAccessKey: "any" };
/** A host that only the proxy knows. */
const endpoint = "http://kinesis.test";
const subscription = {
  ConsumerARN: "arn:aws:kinesis:eu-west-1:123456789012:stream/orders/consumer/app:1",
  ShardId: "shardId-000000000000",
  StartingPosition: { Type: "TRIM_HORIZON" },
} as const;

describe("calls of AWS behind a proxy", () => {
  let double: KinesisDouble;
  let proxy: Server;
  let proxyUrl: string;
  let clients: AwsClients | undefined;
  const sockets = new Set<Socket>();
  /** What the proxy was asked for, in order. */
  const asked: string[] = [];
  /** The status that the proxy answers CONNECT with. */
  let connectStatus: number;

  beforeEach(async () => {
    asked.length = 0;
    connectStatus = 200;
    double = await startKinesisDouble();
    double.model.createStream("orders", 1, "eu-west-1");
    const { port } = new URL(double.endpoint);
    proxy = createServer();
    proxy.on("connection", (socket) => {
      sockets.add(socket);
      // Each connection is one of plain HTTP or one for CONNECT: its first line says which.
      socket.on("error", () => {});
    });
    proxy.on("request", (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => response.destroy());
      const headers = Object.entries({ ...request.headers, connection: "close" });
      socket.write(
        `${request.method} / HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
      );
      request.pipe(socket, { end: false });
      socket.pipe(request.socket);
    });
    proxy.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`);
      socket.on("error", () => {});
      socket.end(`HTTP/1.1 ${connectStatus} Whatever\r\n\r\n`);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    proxyUrl = `http://user:hush-hush@127.0.0.1:${(proxy.address() as AddressInfo).port}`; // it listens on TCP
    for (const name of [
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "http_proxy",
      "https_proxy",
      "NO_PROXY",
      "no_proxy",
      "ALL_PROXY",
    ]) {
      vi.stubEnv(name, undefined);
    }
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    clients?.destroy();
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await double.close();
  });

  function kinesis(kinesisEndpoint?: string) {
    clients = createAwsClients({ region: "eu-west-1", kinesisEndpoint, credentials });
    return clients.kinesis;
  }

  async function failureOf(kinesisEndpoint?: string) {
    const service = kinesis(kinesisEndpoint);
    const error = await service
      .call(new ListShardsCommand({ StreamName: "orders" }), unstopped)
      .catch((thrown: unknown) => thrown);
    const failure = readAwsFailure(error);
    const about = { service: "Kinesis", operation: "ListShards", resource: 'stream "orders"' } as const;
    return translateAwsFailure(failure, { ...about, ...(await service.describe(failure)) });
  }

  it("go through HTTP_PROXY, but for the hosts in NO_PROXY and this machine", async () => {
    vi.stubEnv("HTTP_PROXY", proxyUrl);
    const { Shards } = await kinesis(endpoint).call(
      new ListShardsCommand({ StreamName: "orders" }),
      unstopped,
    );
    expect(Shards).toHaveLength(1);
    expect(asked).toEqual(["POST http://kinesis.test/"]);
    clients?.destroy();
    await kinesis(double.endpoint).call(new ListShardsCommand({ StreamName: "orders" }), unstopped);
    expect(asked).toHaveLength(1);
    vi.stubEnv("NO_PROXY", ".test");
    expect(proxyFor(new URL(endpoint))).toBeUndefined();
  });

  it("name the proxy that refuses to connect, not its password, and do not blame the region", async () => {
    vi.stubEnv("HTTPS_PROXY", proxyUrl);
    connectStatus = 403;
    const error = await failureOf();
    expect(asked).toEqual(["CONNECT kinesis.eu-west-1.amazonaws.com:443"]);
    const { host } = new URL(proxyUrl);
    expect(error).toMatchObject({
      code: "PIO_AWS_UNREACHABLE",
      retryable: true,
      message: `Kinesis at https://kinesis.eu-west-1.amazonaws.com cannot be reached: the proxy http://${host} refused the connection with status 403`,
      remedy: expect.stringContaining("NO_PROXY"),
    });
  });

  it("name the proxy that cannot be reached", async () => {
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:1");
    expect(await failureOf()).toMatchObject({
      code: "PIO_AWS_UNREACHABLE",
      message:
        "Kinesis at https://kinesis.eu-west-1.amazonaws.com cannot be reached: the proxy http://127.0.0.1:1 cannot be reached (ECONNREFUSED)",
    });
  });

  it("ask the proxy for a connection of their own when they are subscriptions over HTTP/2", async () => {
    vi.stubEnv("HTTPS_PROXY", proxyUrl);
    connectStatus = 502;
    const service = kinesis();
    const error = await service
      .call(new SubscribeToShardCommand(subscription), unstopped, { streams: true })
      .catch((thrown: unknown) => thrown);
    expect(asked).toEqual([expect.stringMatching(/^CONNECT .*kinesis.*\.amazonaws\.com:443$/)]);
    const failure = readAwsFailure(error);
    const about = { service: "Kinesis", operation: "SubscribeToShard", resource: 'stream "orders"' } as const;
    const translated = translateAwsFailure(failure, { ...about, ...(await service.describe(failure)) });
    expect(translated).toMatchObject({ retryable: true, message: expect.stringContaining("proxy") });
  });
});

describe("a connection for HTTP/2 through a proxy", () => {
  it("carries a request and a long answer both ways", async () => {
    const fixture = (name: string) =>
      readFileSync(new URL(`../../pulsar/test/fixtures/${name}`, import.meta.url));
    const server = createSecureServer({
      cert: fixture("localhost.cert.pem"),
      key: fixture("localhost.key.pem"),
    });
    const answer = randomBytes(1_000_000);
    server.on("stream", (stream) => {
      stream.respond({ ":status": 200 });
      stream.end(answer);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const relay = createServer();
    const asked: (string | undefined)[] = [];
    relay.on("connect", (request, client) => {
      asked.push(request.url);
      expect(request.headers["proxy-authorization"]).toBe(`Basic ${btoa("user:p@ss")}`);
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1"); // it listens on TCP
      client.write("HTTP/1.1 200 Connected\r\n\r\n");
      client.pipe(socket).pipe(client);
      client.on("error", () => {});
      socket.on("error", () => {});
    });
    relay.listen(0, "127.0.0.1");
    await once(relay, "listening");
    const proxy = new URL(`http://user:p%40ss@127.0.0.1:${(relay.address() as AddressInfo).port}`); // as above
    // The certificate is one of this repository's own.
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    try {
      const session = connectHttp2("https://kinesis.test", {
        createConnection: (authority) => http2Through(proxy, authority),
      });
      const stream = session.request({ ":path": "/", ":method": "POST" });
      stream.end("subscribe");
      expect(Buffer.concat(await stream.toArray()).equals(answer)).toBe(true);
      expect(asked).toEqual(["kinesis.test:443"]);
      session.destroy();
    } finally {
      vi.unstubAllEnvs();
      server.close();
      relay.close();
    }
  });
});
