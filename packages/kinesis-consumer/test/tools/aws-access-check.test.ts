import { type CheckResult, silentLogger, systemClock, type ToolContext } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { createAwsClients } from "../../src/aws-clients.ts";
import { type AccessCheckOptions, AwsAccessCheck } from "../../src/tools/aws-access-check.ts";
import { type AwsAnswer, awsError, startAwsStub } from "../support/aws-stub.ts";

type Attempt = Extract<CheckResult, { kind: "attempt" }>;

const streamArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
const tableArn = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders-app";
const polling: AccessCheckOptions = {
  streamName: "orders",
  applicationName: "orders-app",
  retrieval: { kind: "polling" },
  metricsLevel: "NONE",
};
const fanOut: AccessCheckOptions = {
  ...polling,
  retrieval: { kind: "fan-out", consumerName: "orders-app" },
};
const refused = awsError("ConditionalCheckFailedException", "The conditional request failed");
const missing = awsError("ResourceNotFoundException", "no such thing");
const denied = awsError("AccessDeniedException", "User is not authorized");

const granted: Readonly<Record<string, AwsAnswer>> = {
  DescribeStreamSummary: { status: 200, body: { StreamDescriptionSummary: { StreamARN: streamArn } } },
  ListShards: { status: 200, body: { Shards: [{ ShardId: "shardId-000000000000" }] } },
  GetShardIterator: { status: 200, body: { ShardIterator: "there" } },
  GetRecords: { status: 200, body: { Records: [] } },
  DescribeStreamConsumer: missing,
  DescribeTable: {
    status: 200,
    body: {
      Table: {
        TableArn: tableArn,
        TableStatus: "ACTIVE",
        KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "leaseKey", AttributeType: "S" }],
      },
    },
  },
  Scan: { status: 200, body: { Items: [] } },
  GetItem: { status: 200, body: {} },
  PutItem: refused,
  UpdateItem: refused,
  DeleteItem: refused,
  "GetItem orders-app-CoordinatorState": { status: 200, body: {} },
  "Scan orders-app-WorkerMetricStats": { status: 200, body: { Items: [] } },
};
const kcl3Calls = ["GetItem orders-app-CoordinatorState", "Scan orders-app-WorkerMetricStats"];

async function run(answers: Readonly<Record<string, AwsAnswer>>, options = polling) {
  await using stub = await startAwsStub(
    (operation, table) => answers[`${operation} ${table}`] ?? answers[operation] ?? denied,
  );
  using clients = createAwsClients({
    region: "eu-west-1",
    kinesisEndpoint: stub.endpoint,
    dynamoEndpoint: stub.endpoint,
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
  });
  const context: ToolContext = {
    clock: systemClock,
    logger: silentLogger,
    signal: new AbortController().signal,
  };
  const check = new AwsAccessCheck(clients, context, options);
  const attempts: Attempt[] = [];
  for await (const attempt of check.run()) attempts.push(attempt);
  return { attempts, policy: await check.policy(), calls: stub.calls };
}

function named(attempts: readonly Attempt[], outcome: string) {
  return attempts.filter((attempt) => attempt.outcome === outcome).map((attempt) => attempt.name);
}

describe("AwsAccessCheck", () => {
  it("waits once for a service that does not answer, not once for each call", async () => {
    const nobody = "http://127.0.0.1:1";
    const credentials = { accessKeyId: "any", secretAccessKey: "any" };
    using clients = createAwsClients({
      region: "eu-west-1",
      kinesisEndpoint: nobody,
      dynamoEndpoint: nobody,
      credentials,
    });
    const signal = new AbortController().signal;
    const check = new AwsAccessCheck(clients, { clock: systemClock, logger: silentLogger, signal }, polling);
    const attempts: Attempt[] = [];
    for await (const attempt of check.run()) attempts.push(attempt);
    expect(named(attempts, "failed")).toEqual(["dynamodb:DescribeTable"]);
    expect(named(attempts, "limited")).toEqual(["kinesis:DescribeStreamSummary"]);
    expect(attempts.find(({ name }) => name === "dynamodb:Scan")).toMatchObject({
      outcome: "not-tried",
      detail: "DynamoDB did not answer the calls before",
    });
  }, 20_000);

  it("tries each call that polling needs, but for the creation of a table", async () => {
    const { attempts, policy } = await run(granted);
    expect(named(attempts, "failed")).toEqual([]);
    expect(named(attempts, "not-tried")).toEqual(["dynamodb:CreateTable"]);
    const actions = policy.Statement.flatMap((statement) => statement.Action);
    expect(attempts.map((attempt) => attempt.name).sort()).toEqual([...actions].sort());
  });

  it.each(Object.keys(granted).filter((name) => name !== "DescribeStreamConsumer" && !name.includes(" ")))(
    "says that %s is refused, why, and what to allow",
    async (operation) => {
      const { attempts } = await run({ ...granted, [operation]: denied });
      const attempt = attempts.find((one) => one.name.endsWith(`:${operation}`));
      const optional = operation === "DescribeStreamSummary";
      expect(attempt).toMatchObject({ outcome: optional ? "limited" : "failed" });
      expect(attempt?.detail).toContain(`the IAM permission ${attempt?.name} is missing`);
      expect(attempt?.remedy).toContain(`allow ${attempt?.name}`);
      expect(named(attempts, "failed")).toEqual(optional ? [] : [attempt?.name]);
    },
  );

  it.each(kcl3Calls)("says what is missed when %s is refused, and fails for nothing", async (call) => {
    const [operation, table] = call.split(" ");
    const { attempts } = await run({ ...granted, [call]: denied });
    expect(named(attempts, "failed")).toEqual([]);
    expect(attempts.filter((attempt) => attempt.outcome === "limited")).toEqual([
      {
        kind: "attempt",
        name: `dynamodb:${operation}`,
        outcome: "limited",
        detail: `DynamoDB ${operation} on table "${table}" was denied: the IAM permission dynamodb:${operation} is missing; without it, Java workers of KCL 3 go unnoticed, and their leases are taken as those of KCL 2 are`,
        remedy: expect.stringContaining(`allow dynamodb:${operation} on the table "${table}"`),
      },
    ]);
  });

  it("takes it for no refusal that there are no tables of KCL 3", async () => {
    const { attempts } = await run({
      ...granted,
      ...Object.fromEntries(kcl3Calls.map((call) => [call, missing])),
    });
    expect(named(attempts, "failed")).toEqual([]);
    expect(named(attempts, "limited")).toEqual([]);
    expect(attempts.slice(-2).map((attempt) => attempt.detail)).toEqual([
      `allowed; there is no table "orders-app-CoordinatorState", nor need there be: Java's KCL 3 makes it`,
      `allowed; there is no table "orders-app-WorkerMetricStats", nor need there be: Java's KCL 3 makes it`,
    ]);
  });

  it("says that the stream does not exist, and does not try what needs one of its shards", async () => {
    const { attempts } = await run({ ...granted, DescribeStreamSummary: missing, ListShards: missing });
    expect(named(attempts, "failed")).toEqual(["kinesis:DescribeStreamSummary", "kinesis:ListShards"]);
    expect(named(attempts, "not-tried").slice(0, 2)).toEqual([
      "kinesis:GetShardIterator",
      "kinesis:GetRecords",
    ]);
  });

  it("takes a missing table for no refusal", async () => {
    const absent = Object.fromEntries(
      ["DescribeTable", "Scan", "GetItem", "PutItem", "UpdateItem", "DeleteItem"].map((name) => [
        name,
        missing,
      ]),
    );
    const { attempts } = await run({ ...granted, ...absent });
    expect(named(attempts, "failed")).toEqual([]);
    expect(attempts.find((one) => one.name === "dynamodb:CreateTable")?.detail).toBe(
      "it would leave a table behind",
    );
  });

  it("fails for a table of another kind", async () => {
    const body = { Table: { TableStatus: "ACTIVE", KeySchema: [{ AttributeName: "id", KeyType: "HASH" }] } };
    const { attempts } = await run({ ...granted, DescribeTable: { status: 200, body } });
    expect(named(attempts, "failed")).toEqual(["dynamodb:DescribeTable"]);
  });

  it("asks for fan-out what fan-out needs, and registers and subscribes nothing", async () => {
    const { attempts, policy, calls } = await run(granted, fanOut);
    expect(named(attempts, "failed")).toEqual([]);
    expect(calls).toContain("DescribeStreamConsumer");
    expect(calls).not.toContain("RegisterStreamConsumer");
    expect(policy.Statement.map((statement) => [statement.Sid, statement.Resource])).toEqual([
      ["Stream", streamArn],
      ["FanOut", `${streamArn}/consumer/orders-app:*`],
      ["LeaseTable", tableArn],
      ["Kcl3Coordinator", `${tableArn}-CoordinatorState`],
      ["Kcl3Workers", `${tableArn}-WorkerMetricStats`],
    ]);
    const without = await run({ ...granted, DescribeStreamSummary: denied }, fanOut);
    expect(named(without.attempts, "failed")).toEqual(["kinesis:DescribeStreamSummary"]);
  });

  it("asks for the metrics of the application's namespace alone, and puts none", async () => {
    const { attempts, policy, calls } = await run(granted, { ...polling, metricsLevel: "SUMMARY" });
    expect(named(attempts, "not-tried")).toEqual(["dynamodb:CreateTable", "cloudwatch:PutMetricData"]);
    expect(calls).not.toContain("PutMetricData");
    expect(policy.Statement.at(-1)).toEqual({
      Sid: "Metrics",
      Effect: "Allow",
      Action: ["cloudwatch:PutMetricData"],
      Resource: "*",
      Condition: { StringEquals: { "cloudwatch:namespace": "orders-app" } },
    });
  });

  it("fills in what it knows of a resource when AWS does not tell its name", async () => {
    const { policy } = await run({ ...granted, DescribeStreamSummary: denied });
    expect(policy.Statement[0]?.Resource).toBe(streamArn);
    const nothing = await run({});
    expect(nothing.policy.Statement.map((statement) => statement.Resource)).toEqual([
      "arn:aws:kinesis:eu-west-1:*:stream/orders",
      "arn:aws:dynamodb:eu-west-1:*:table/orders-app",
      "arn:aws:dynamodb:eu-west-1:*:table/orders-app-CoordinatorState",
      "arn:aws:dynamodb:eu-west-1:*:table/orders-app-WorkerMetricStats",
    ]);
  });
});
