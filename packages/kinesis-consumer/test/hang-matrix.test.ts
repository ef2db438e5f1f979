import dns from "node:dns";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as dynamo from "@aws-sdk/client-dynamodb";
import * as kinesis from "@aws-sdk/client-kinesis";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type AwsClients, createAwsClients } from "../src/aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../src/aws-failure.ts";

type ServiceName = "kinesis" | "dynamo" | "cloudwatch";
type Calls = Readonly<Record<string, (clients: AwsClients, signal: AbortSignal) => Promise<unknown>>>;

const TableName = "orders-app";
const Key = { leaseKey: { S: "shardId-000000000000" } };
const StreamARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
const ShardId = "shardId-000000000000";

/** Every call that the consumer and its tools make, by the SDK's name of its command. */
const calls: Readonly<Record<ServiceName, Calls>> = {
  kinesis: {
    DescribeStreamConsumerCommand: ({ kinesis: service }, signal) =>
      service.call(new kinesis.DescribeStreamConsumerCommand({ StreamARN, ConsumerName: "app" }), signal),
    DescribeStreamSummaryCommand: ({ kinesis: service }, signal) =>
      service.call(new kinesis.DescribeStreamSummaryCommand({ StreamName: "orders" }), signal),
    GetRecordsCommand: ({ kinesis: service }, signal) =>
      service.call(new kinesis.GetRecordsCommand({ ShardIterator: "any" }), signal, { withinMs: 20_000 }),
    GetShardIteratorCommand: ({ kinesis: service }, signal) =>
      service.call(
        new kinesis.GetShardIteratorCommand({
          StreamName: "orders",
          ShardId,
          ShardIteratorType: "TRIM_HORIZON",
        }),
        signal,
      ),
    ListShardsCommand: ({ kinesis: service }, signal) =>
      service.call(new kinesis.ListShardsCommand({ StreamName: "orders" }), signal),
    RegisterStreamConsumerCommand: ({ kinesis: service }, signal) =>
      service.call(new kinesis.RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "app" }), signal),
    SubscribeToShardCommand: ({ kinesis: service }, signal) =>
      service.call(
        new kinesis.SubscribeToShardCommand({
          ConsumerARN: `${StreamARN}/consumer/app:1`,
          ShardId,
          StartingPosition: { Type: "TRIM_HORIZON" },
        }),
        signal,
        { streams: true },
      ),
  },
  dynamo: {
    CreateTableCommand: ({ dynamo: service }, signal) =>
      service.call(
        new dynamo.CreateTableCommand({
          TableName,
          AttributeDefinitions: [{ AttributeName: "leaseKey", AttributeType: "S" }],
          KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
          BillingMode: "PAY_PER_REQUEST",
        }),
        signal,
      ),
    DeleteItemCommand: ({ dynamo: service }, signal) =>
      service.call(new dynamo.DeleteItemCommand({ TableName, Key }), signal),
    DescribeTableCommand: ({ dynamo: service }, signal) =>
      service.call(new dynamo.DescribeTableCommand({ TableName }), signal),
    GetItemCommand: ({ dynamo: service }, signal) =>
      service.call(new dynamo.GetItemCommand({ TableName, Key }), signal),
    PutItemCommand: ({ dynamo: service }, signal) =>
      service.call(new dynamo.PutItemCommand({ TableName, Item: Key }), signal),
    ScanCommand: ({ dynamo: service }, signal) => service.call(new dynamo.ScanCommand({ TableName }), signal),
    TransactWriteItemsCommand: ({ dynamo: service }, signal) =>
      service.call(
        new dynamo.TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName, Item: Key } }] }),
        signal,
      ),
    UpdateItemCommand: ({ dynamo: service }, signal) =>
      service.call(new dynamo.UpdateItemCommand({ TableName, Key }), signal),
  },
  cloudwatch: {
    PutMetricDataCommand: ({ cloudwatch: service }, signal) => {
      if (service === undefined) throw new Error("there is no client for CloudWatch");
      return service.call(
        new cloudwatch.PutMetricDataCommand({
          Namespace: "app",
          MetricData: [{ MetricName: "m", Value: 1 }],
        }),
        signal,
      );
    },
  },
};

/** The documented bound of a call, milliseconds. A page of 10 MB may take longer. */
function boundOf({ operation }: Case): number {
  return operation === "GetRecordsCommand" ? 20_000 : 8_000;
}

const names = { kinesis: "Kinesis", dynamo: "DynamoDB", cloudwatch: "CloudWatch" } as const;

/** How a call goes wrong, by what the server does with a request. Only those that are silent need time to pass. */
const faults = [
  "never answers",
  "answers after the limit",
  "stalls in the head of its answer",
  "stalls in the middle of its answer",
  "refuses the connection",
  "stalls in the TLS handshake",
  "is behind a proxy that never opens a tunnel",
  "has a name that does not resolve",
  "has a name whose resolution never ends",
  "has credentials that never come",
] as const;
type FaultName = (typeof faults)[number];
const endsByItself: readonly FaultName[] = ["refuses the connection", "has a name that does not resolve"];

/** A subscription is open once its head has come: its reader watches the rest. */
const afterTheHead: FaultName = "stalls in the middle of its answer";
const stopped = new Error("stopped");
const stopping = "during a stop";

const phases = ["at the start", "while running", stopping] as const;

interface Case {
  readonly service: ServiceName;
  readonly operation: string;
  readonly call: Calls[string];
  readonly wrong: FaultName;
  readonly phase: (typeof phases)[number];
}

describe("every call of AWS", () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let port: number;
  let closedPort: number;
  let fault: FaultName | undefined;
  let requests: number;

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", () => {
        requests += 1;
        reply(socket);
      });
    });
    port = await listen(server);
    const gone = createServer();
    closedPort = await listen(gone);
    gone.close();
    const lookup = dns.lookup;
    // As Node calls it for a connection: the name, options, and a callback that comes last.
    vi.spyOn(dns, "lookup").mockImplementation(((...args: Parameters<typeof lookup>) => {
      const [hostname] = args;
      const done = args.at(-1) as unknown as (error: Error | null, ...found: unknown[]) => void;
      if (hostname === "unknown.test") {
        const error = new Error("getaddrinfo EAI_AGAIN unknown.test");
        setImmediate(() => done(Object.assign(error, { code: "EAI_AGAIN" })));
      } else if (hostname !== "endless.test") {
        lookup(...args);
      }
    }) as typeof lookup);
  });

  beforeEach(() => {
    requests = 0;
  });

  afterEach(() => {
    fault = undefined;
    vi.unstubAllEnvs();
    for (const socket of sockets) socket.destroy();
  });

  afterAll(() => {
    vi.restoreAllMocks();
    server.close();
  });

  function reply(socket: Socket): void {
    const head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\n\r\n";
    if (fault === undefined) socket.write(`${head}{}`);
    if (fault === "stalls in the head of its answer") socket.write(head.slice(0, 30));
    if (fault === "stalls in the middle of its answer") socket.write(`${head}{`);
  }

  function endpointFor(wrong: FaultName): string {
    if (wrong === "refuses the connection") return `http://127.0.0.1:${closedPort}`;
    if (wrong === "stalls in the TLS handshake") return `https://127.0.0.1:${port}`;
    if (wrong === "is behind a proxy that never opens a tunnel") return "https://aws.test";
    if (wrong === "has a name that does not resolve") return `http://unknown.test:${port}`;
    if (wrong === "has a name whose resolution never ends") return `http://endless.test:${port}`;
    return `http://127.0.0.1:${port}`;
  }

  const matrix = (Object.keys(calls) as ServiceName[]).flatMap((service) =>
    Object.entries(calls[service]).flatMap(([operation, call]) =>
      faults
        .filter((wrong) => !(operation === "SubscribeToShardCommand" && wrong === afterTheHead))
        .flatMap((wrong) => phases.map((phase): Case => ({ service, operation, call, wrong, phase }))),
    ),
  );

  /** Clients that meet `wrong`, and whether their requests reach the server. */
  function clientsFor({ wrong, phase }: Case, clock: TestClock) {
    const endpoint = endpointFor(wrong);
    if (endpoint === "https://aws.test") vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${port}`);
    const never = wrong === "has credentials that never come";
    const state = { credentialsCome: !never || phase === "while running" };
    const keys = { accessKeyId: "any", secretAccessKey: "any", expiration: new Date(Date.now() + 60_000) };
    const clients = createAwsClients({
      region: "eu-west-1",
      kinesisEndpoint: endpoint,
      dynamoEndpoint: endpoint,
      cloudwatch: { endpoint },
      credentials: () => (state.credentialsCome ? Promise.resolve(keys) : new Promise(() => {})),
      clock,
    });
    return { clients, state, arrives: endpoint === `http://127.0.0.1:${port}` && !never };
  }

  async function translated(clients: AwsClients, { service, operation }: Case, error: unknown) {
    const failure = readAwsFailure(error);
    const where = await clients[service]?.describe(failure);
    const about = { service: names[service], operation, resource: "any" } as const;
    const unknown = { region: "", endpoint: "", customEndpoint: true };
    return translateAwsFailure(failure, { ...about, ...unknown, ...where });
  }

  /** Begins the call of a case, with connections and credentials of an earlier call if it is one while running. */
  async function begin(
    one: Case,
    { clients, state, arrives }: ReturnType<typeof clientsFor>,
    signal: AbortSignal,
  ) {
    if (one.phase === "while running" && one.wrong !== "refuses the connection") {
      if (arrives || one.wrong === "has credentials that never come") {
        await one.call(clients, new AbortController().signal).catch(() => {});
      }
      if (one.wrong === "has credentials that never come") state.credentialsCome = false;
    }
    fault = one.wrong;
    const before = requests;
    const ended = outcomeOf(one.call(clients, signal));
    if (arrives) await until(() => requests > before);
    await new Promise(setImmediate);
    return ended;
  }

  /** Lets the documented time of a silent call pass, and not less, until it ends. */
  async function endInTime(one: Case, clock: TestClock, ended: Outcome, credentialsCome: boolean) {
    if (!endsByItself.includes(one.wrong)) {
      await clock.advance((credentialsCome ? boundOf(one) : 12_000) - 1);
      expect(ended).toEqual({});
      await clock.advance(1);
    }
    await until(() => ended.error !== undefined);
    // By the bound of the whole call, not by a time-out inside the SDK that covers this fault alone.
    if (!endsByItself.includes(one.wrong))
      expect(String(ended.error)).toMatch(/did not end within (8|12|20) s/);
    if (one.wrong === "answers after the limit") for (const socket of sockets) reply(socket);
  }

  it.each(matrix.filter(({ phase }) => phase !== stopping))(
    "ends in time with a retryable error, and works again: $operation $wrong $phase",
    async (one) => {
      const clock = new TestClock();
      const made = clientsFor(one, clock);
      using clients = made.clients;
      const ended = await begin(one, made, new AbortController().signal);
      await endInTime(one, clock, ended, made.state.credentialsCome);
      expect(await translated(clients, one, ended.error)).toMatchObject({
        code: "PIO_AWS_UNREACHABLE",
        retryable: true,
      });
      expect(ended.answer).toBeUndefined();
      if (!made.arrives) return;
      fault = undefined;
      const again = outcomeOf(one.call(clients, new AbortController().signal));
      await until(() => again.error !== undefined || again.answer !== undefined);
      expect(readAwsFailure(again.error ?? stopped).name).not.toBe("TimeoutError");
    },
    20_000,
  );

  it.each(matrix.filter(({ phase, wrong }) => phase === stopping && !endsByItself.includes(wrong)))(
    "ends at once when it is stopped: $operation $wrong",
    async (one) => {
      const made = clientsFor(one, new TestClock());
      using _clients = made.clients;
      const stop = new AbortController();
      const ended = await begin(one, made, stop.signal);
      stop.abort(stopped);
      await until(() => ended.error !== undefined);
      expect(ended.error).toBe(stopped);
    },
    20_000,
  );

  it("is in this matrix", () => {
    const folders = ["../src", "../../../connectors/kinesis/src"].map(
      (path) => new URL(path, import.meta.url),
    );
    const made = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts"))
        .flatMap((file) => {
          const text = readFileSync(new URL(`${folder.href}/${file}`), "utf8");
          return [...text.matchAll(/new (\w+Command)\(/g)].map(([, name]) => name);
        }),
    );
    const covered = Object.values(calls).flatMap((some) => Object.keys(some));
    expect(new Set(made)).toEqual(new Set(covered));
  });
});

interface Outcome {
  readonly error?: unknown;
  readonly answer?: unknown;
}

function outcomeOf(promise: Promise<unknown>): Outcome {
  const outcome: { error?: unknown; answer?: unknown } = {};
  promise.then(
    (answer) => {
      outcome.answer = answer;
    },
    (error: unknown) => {
      outcome.error = error;
    },
  );
  return outcome;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a listening TCP server has such an address
}
