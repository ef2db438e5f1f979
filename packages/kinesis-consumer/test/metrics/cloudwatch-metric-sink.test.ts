import { describe, expect, it } from "vitest";
import { createAwsClients } from "../../src/aws-clients.ts";
import { CloudWatchMetricSink } from "../../src/metrics/cloudwatch-metric-sink.ts";
import type { MetricDatum } from "../../src/metrics/metric-sink.ts";
import { type AwsAnswer, awsError, startAwsStub } from "../support/aws-stub.ts";

const datum: MetricDatum = {
  name: "MillisBehindLatest",
  unit: "Milliseconds",
  dimensions: [
    { name: "Operation", value: "ProcessTask" },
    { name: "ShardId", value: "shardId-000000000000" },
  ],
  min: 0,
  max: 120,
  sum: 150,
  count: 3,
};

async function send(data: readonly MetricDatum[], answer: AwsAnswer) {
  await using stub = await startAwsStub(() => answer);
  using clients = createAwsClients({
    region: "eu-west-1",
    cloudwatch: { endpoint: stub.endpoint },
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
  });
  if (clients.cloudwatch === undefined) throw new Error("there is no client for CloudWatch");
  const sink = new CloudWatchMetricSink(clients.cloudwatch, "orders-app");
  const failure = await sink.send(data, new AbortController().signal).catch((error: unknown) => error);
  return { failure, calls: stub.calls, bodies: stub.bodies };
}

describe("CloudWatchMetricSink", () => {
  it("sends statistics without a time, under the application's name, through the AWS SDK", async () => {
    const { failure, calls, bodies } = await send([datum], { status: 200, body: {} });
    expect(failure).toBeUndefined();
    expect(calls).toEqual(["PutMetricData"]);
    expect(bodies).toEqual([
      {
        Namespace: "orders-app",
        MetricData: [
          {
            MetricName: "MillisBehindLatest",
            Unit: "Milliseconds",
            Dimensions: [
              { Name: "Operation", Value: "ProcessTask" },
              { Name: "ShardId", Value: "shardId-000000000000" },
            ],
            StatisticValues: { Minimum: 0, Maximum: 120, Sum: 150, SampleCount: 3 },
          },
        ],
      },
    ]);
  });

  it("tries once, and says which permission is missing", async () => {
    const { failure, calls } = await send([datum], awsError("AccessDeniedException", "not authorized", 403));
    expect(failure).toMatchObject({ code: "PIO_AWS_ACCESS_DENIED" });
    expect(String(failure)).toContain("cloudwatch:PutMetricData");
    expect(calls).toHaveLength(1);
  });

  it("tries a failing service once: the next data are ten seconds away", async () => {
    const { failure, calls } = await send([datum], awsError("InternalServiceFault", "oops", 500));
    expect(failure).toMatchObject({ code: "PIO_AWS_UNAVAILABLE", retryable: true });
    expect(calls).toHaveLength(1);
  });

  it("has no client where no metrics are wanted", () => {
    using clients = createAwsClients({ region: "eu-west-1" });
    expect(clients.cloudwatch).toBeUndefined();
  });
});
