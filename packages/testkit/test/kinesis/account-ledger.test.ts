import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type KinesisDouble, startKinesisDouble, TestClock } from "../../src/index.ts";

const roleArn = "arn:aws:iam::123456789012:role/teams/reader";

describe("the account that the double plays", () => {
  const clock = new TestClock();
  let double: KinesisDouble;
  beforeAll(async () => {
    double = await startKinesisDouble({ clock });
  });
  afterEach(() => double.faults.clear());
  afterAll(() => double.close());

  async function post(
    body: string | Uint8Array | URLSearchParams,
    headers: Record<string, string>,
    accessKeyId = "AKIAME",
  ) {
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/eu-west-1/any/aws4_request, Signature=x`;
    const response = await fetch(double.endpoint, {
      method: "POST",
      headers: { authorization, ...headers },
      body,
    });
    return { status: response.status, text: await response.text() };
  }

  function putMetrics(body: unknown, packed = false) {
    const json = JSON.stringify(body);
    return post(packed ? gzipSync(json) : json, {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
      ...(packed ? { "content-encoding": "gzip" } : {}),
    });
  }

  function sts(parameters: Record<string, string>, accessKeyId?: string) {
    return post(new URLSearchParams({ Version: "2011-06-15", ...parameters }), {}, accessKeyId);
  }

  it.each([false, true])("remembers the metrics it is told, packed or not: %s", async (packed) => {
    const { length } = double.ledger.metrics;
    const value = { MetricName: "Lag", Value: 3, Unit: "Count", Timestamp: 1_767_225_600 };
    const set = {
      MetricName: "Time",
      Dimensions: [{ Name: "ShardId", Value: "0" }],
      StatisticValues: { Minimum: 1, Maximum: 2, Sum: 4, SampleCount: 3 },
    };
    expect(await putMetrics({ Namespace: "app", MetricData: [value, set] }, packed)).toEqual({
      status: 200,
      text: "{}",
    });
    const shared = { namespace: "app", region: "eu-west-1" };
    expect(double.ledger.metrics.slice(length)).toEqual([
      {
        ...shared,
        name: "Lag",
        unit: "Count",
        dimensions: [],
        statistics: { min: 3, max: 3, sum: 3, count: 1 },
        timestampMs: 1_767_225_600_000,
      },
      {
        ...shared,
        name: "Time",
        unit: "None",
        dimensions: [{ name: "ShardId", value: "0" }],
        statistics: { min: 1, max: 2, sum: 4, count: 3 },
        timestampMs: undefined,
      },
    ]);
  });

  it("remembers the metrics of a form, which is how the AWS SDK for Java tells them", async () => {
    const { length } = double.ledger.metrics;
    const first = {
      "MetricData.member.1.MetricName": "Lag",
      "MetricData.member.1.Timestamp": "2026-01-01T00:00:00.250Z",
      "MetricData.member.1.Value": "3.5",
    };
    const second = {
      "MetricData.member.2.MetricName": "Time",
      "MetricData.member.2.Unit": "Milliseconds",
      "MetricData.member.2.Dimensions.member.1.Name": "ShardId",
      "MetricData.member.2.Dimensions.member.1.Value": "0",
      "MetricData.member.2.StatisticValues.Minimum": "1",
      "MetricData.member.2.StatisticValues.Maximum": "2",
      "MetricData.member.2.StatisticValues.Sum": "4",
      "MetricData.member.2.StatisticValues.SampleCount": "3",
    };
    const call = { Action: "PutMetricData", Version: "2010-08-01", Namespace: "app" };
    const { status } = await post(new URLSearchParams({ ...call, ...first, ...second }), {});
    expect(status).toBe(200);
    const shared = { namespace: "app", region: "eu-west-1" };
    expect(double.ledger.metrics.slice(length)).toEqual([
      {
        ...shared,
        name: "Lag",
        unit: "None",
        dimensions: [],
        statistics: { min: 3.5, max: 3.5, sum: 3.5, count: 1 },
        timestampMs: 1_767_225_600_250,
      },
      {
        ...shared,
        name: "Time",
        unit: "Milliseconds",
        dimensions: [{ name: "ShardId", value: "0" }],
        statistics: { min: 1, max: 2, sum: 4, count: 3 },
        timestampMs: undefined,
      },
    ]);
  });

  const datum = { MetricName: "Lag", Value: 3 };
  it.each([
    ["MissingRequiredParameterException", { MetricData: [datum] }],
    ["MissingRequiredParameterException", { Namespace: "app" }],
    ["MissingRequiredParameterException", { Namespace: "app", MetricData: [datum, { Value: 3 }] }],
    ["InvalidParameterValueException", { Namespace: "AWS/Kinesis", MetricData: [datum] }],
    ["InvalidParameterCombinationException", { Namespace: "app", MetricData: [datum, { MetricName: "x" }] }],
    [
      "InvalidParameterValueException",
      {
        Namespace: "app",
        MetricData: [
          { MetricName: "x", StatisticValues: { Minimum: 2, Maximum: 1, Sum: 1, SampleCount: 1 } },
        ],
      },
    ],
    ["ValidationException", { Namespace: "app", MetricData: Array(1_001).fill(datum) }],
  ])("refuses metrics that CloudWatch would not take, all of a call: %s", async (name, body) => {
    const { length } = double.ledger.metrics;
    const { status, text } = await putMetrics(body);
    expect([status, JSON.parse(text).__type]).toEqual([400, name]);
    expect(double.ledger.metrics).toHaveLength(length);
  });

  it("takes as many metrics in a call as CloudWatch", async () => {
    expect(await putMetrics({ Namespace: "app", MetricData: Array(1_000).fill(datum) })).toMatchObject({
      status: 200,
    });
  });

  it("tells the metrics to whoever runs it in another process", async () => {
    await putMetrics({ Namespace: "told", MetricData: [datum] });
    const response = await fetch(`${double.endpoint}/_double/metrics`);
    expect(await response.json()).toEqual(
      expect.arrayContaining([expect.objectContaining({ namespace: "told", name: "Lag" })]),
    );
  });

  it("gives a role for as long as was asked, and knows its keys again", async () => {
    const session = { RoleArn: roleArn, RoleSessionName: "pulsar", DurationSeconds: "900" };
    const { status, text } = await sts({ Action: "AssumeRole", ...session });
    expect(status).toBe(200);
    const role = double.ledger.assumedRoles.at(-1);
    expect(role).toMatchObject({
      roleArn,
      sessionName: "pulsar",
      by: "AKIAME",
      region: "eu-west-1",
      expiresMs: clock.now() + 900_000,
    });
    expect(text).toContain(`<AccessKeyId>${role?.accessKeyId}</AccessKeyId>`);
    expect(text).toContain(`<Expiration>${new Date(role?.expiresMs ?? 0).toISOString()}</Expiration>`);
    const identity = await sts({ Action: "GetCallerIdentity" }, role?.accessKeyId);
    expect(identity.text).toContain("<Arn>arn:aws:sts::123456789012:assumed-role/reader/pulsar</Arn>");
    expect(identity.text).toContain("<Account>123456789012</Account>");
  });

  it("takes any other key for a user's", async () => {
    const { text } = await sts({ Action: "GetCallerIdentity" }, "AKIASOMEBODY");
    expect(text).toContain("<Arn>arn:aws:iam::000000000000:user/test</Arn>");
  });

  it.each([
    { RoleArn: "reader", RoleSessionName: "pulsar" },
    { RoleArn: roleArn },
    { RoleArn: roleArn, RoleSessionName: "a b" },
    { RoleArn: roleArn, RoleSessionName: "pulsar", DurationSeconds: "60" },
  ])("refuses a role that STS would not give: %j", async (session) => {
    const { status, text } = await sts({ Action: "AssumeRole", ...session });
    expect(status).toBe(400);
    expect(text).toContain("<Code>ValidationError</Code>");
  });

  it("fails as it is told to, here too", async () => {
    double.faults.deny("PutMetricData");
    double.faults.deny("AssumeRole");
    expect((await putMetrics({ Namespace: "app", MetricData: [datum] })).text).toContain(
      "not authorized to perform: cloudwatch:PutMetricData",
    );
    const { status, text } = await sts({ Action: "AssumeRole" });
    expect([status, text.includes("<Code>AccessDenied</Code>")]).toEqual([403, true]);
  });
});
