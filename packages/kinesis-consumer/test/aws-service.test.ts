import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";
import { ListShardsCommand } from "@aws-sdk/client-kinesis";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AwsClients,
  type AwsCredentialIdentity,
  type AwsCredentialIdentityProvider,
  createAwsClients,
} from "../src/aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../src/aws-failure.ts";

const keys: AwsCredentialIdentity = { accessKeyId: "any", secretAccessKey: "any" };
const callMs = 8_000;
const command = () => new ListShardsCommand({ StreamName: "orders" });

describe("a call of an AWS service", () => {
  const clock = new TestClock();
  const sockets = new Set<Socket>();
  let server: Server;
  let clients: AwsClients | undefined;
  /** What the server does with a request. */
  let answer: (socket: Socket) => void;
  let requests: number;

  beforeEach(async () => {
    answer = () => {};
    requests = 0;
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", () => {
        requests += 1;
        answer(socket);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(async () => {
    clients?.destroy();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function kinesis(credentials: AwsCredentialIdentityProvider | AwsCredentialIdentity = keys) {
    const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
    clients = createAwsClients({
      region: "eu-west-1",
      kinesisEndpoint: `http://127.0.0.1:${port}`,
      credentials,
      clock,
    });
    return clients.kinesis;
  }

  /** Calls, and keeps how it ends. */
  function call(service: AwsClients["kinesis"], signal = new AbortController().signal) {
    const ended: { error?: unknown; answer?: unknown } = {};
    service.call(command(), signal).then(
      (value) => {
        ended.answer = value;
      },
      (error: unknown) => {
        ended.error = error;
      },
    );
    return ended;
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async function translated(service: AwsClients["kinesis"], error: unknown) {
    const failure = readAwsFailure(error);
    const where = await service.describe(failure);
    const about = { service: "Kinesis", operation: "ListShards", resource: 'stream "orders"' } as const;
    return translateAwsFailure(failure, { ...about, ...where });
  }

  it.each([
    ["that is never answered", () => {}],
    [
      "whose answer stops in the middle",
      (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"Shards":['),
    ],
    ["whose answer stops in its head", (socket: Socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-le")],
  ])("ends within its time with a retryable error that names the endpoint: one %s", async (_what, does) => {
    answer = does;
    const service = kinesis();
    const ended = call(service);
    await until(() => requests === 1);
    await clock.advance(callMs - 1);
    expect(ended).toEqual({});
    await clock.advance(1);
    await until(() => ended.error !== undefined);
    const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
    expect(await translated(service, ended.error)).toMatchObject({
      code: "PIO_AWS_UNREACHABLE",
      retryable: true,
      message: `Kinesis ListShards on stream "orders" was not answered in time at http://127.0.0.1:${port}`,
      remedy: expect.stringContaining("check that"),
    });
    await until(() => sockets.size === 0);
  });

  it("ends within 12 s when its credentials never come, and is never sent", async () => {
    const service = kinesis(() => new Promise(() => {}));
    const ended = call(service);
    await clock.advance(11_999);
    expect(ended).toEqual({});
    await clock.advance(1);
    await until(() => ended.error !== undefined);
    expect(await translated(service, ended.error)).toMatchObject({ retryable: true });
    expect(requests).toBe(0);
  });

  it.each(["credentials", "answer"])(
    "ends at once when its signal aborts while it waits for the %s",
    async (what) => {
      const service = kinesis(what === "credentials" ? () => new Promise(() => {}) : keys);
      const stop = new AbortController();
      const ended = call(service, stop.signal);
      await until(() => what === "credentials" || requests === 1);
      const reason = new Error("stopped");
      stop.abort(reason);
      await until(() => ended.error !== undefined);
      expect(ended.error).toBe(reason);
    },
  );

  it("drops an answer that comes after its time", async () => {
    let socket: Socket | undefined;
    answer = (one) => {
      socket = one;
    };
    const ended = call(kinesis());
    await until(() => socket !== undefined);
    await clock.advance(callMs);
    await until(() => ended.error !== undefined);
    socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"Shards":[]}');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ended.answer).toBeUndefined();
  });

  it("gets new credentials when AWS says that they have expired, whatever time they name", async () => {
    const asked: unknown[] = [];
    const service = kinesis((options) => {
      asked.push(options?.forceRefresh === true);
      return Promise.resolve(keys);
    });
    const body = '{"__type":"ExpiredTokenException","message":"expired"}';
    answer = (socket) =>
      socket.write(`HTTP/1.1 400 Bad Request\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    for (let times = 1; times <= 2; times += 1) {
      const ended = call(service);
      await until(() => ended.error !== undefined);
    }
    expect(asked).toEqual([false, true]);
  });
});
