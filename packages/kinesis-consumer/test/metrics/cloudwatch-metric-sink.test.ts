import { type KinesisFaults, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { createAwsClients } from "../../src/aws-clients.ts";
import { CloudWatchMetricSink } from "../../src/metrics/cloudwatch-metric-sink.ts";
import type { MetricDatum } from "../../src/metrics/metric-sink.ts";

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

const credentials = { accessKeyId: "any", secretAccessKey: "any" };

async function send(data: readonly MetricDatum[], spoil: (faults: KinesisFaults) => void = () => {}) {
  await using double = await startKinesisDouble();
  spoil(double.faults);
  using clients = createAwsClients({
    region: "eu-west-1",
    cloudwatch: { endpoint: double.endpoint },
    credentials,
  });
  if (clients.cloudwatch === undefined) throw new Error("there is no client for CloudWatch");
  const sink = new CloudWatchMetricSink(clients.cloudwatch, "orders-app");
  const failure = await sink.send(data, new AbortController().signal).catch((error: unknown) => error);
  return { failure, calls: double.service.calls("PutMetricData"), metrics: double.ledger.metrics };
}

describe("CloudWatchMetricSink", () => {
  it("sends statistics without a time, under the application's name, through the AWS SDK", async () => {
    const { failure, calls, metrics } = await send([datum]);
    expect(failure).toBeUndefined();
    expect(calls).toBe(1);
    expect(metrics).toEqual([
      {
        namespace: "orders-app",
        region: "eu-west-1",
        name: "MillisBehindLatest",
        unit: "Milliseconds",
        dimensions: [
          { name: "Operation", value: "ProcessTask" },
          { name: "ShardId", value: "shardId-000000000000" },
        ],
        statistics: { min: 0, max: 120, sum: 150, count: 3 },
        timestampMs: undefined,
      },
    ]);
  });

  it("sends as many at once as it says it may, which the SDK packs", async () => {
    const data = Array.from({ length: 500 }, (_, sum) => ({ ...datum, sum }));
    const { failure, calls, metrics } = await send(data);
    expect(failure).toBeUndefined();
    expect(calls).toBe(1);
    expect(metrics.map(({ statistics }) => statistics.sum)).toEqual(data.map(({ sum }) => sum));
  });

  it("tries once, and says which permission is missing", async () => {
    const { failure, calls } = await send([datum], (faults) => faults.deny("PutMetricData"));
    expect(failure).toMatchObject({ code: "PIO_AWS_ACCESS_DENIED" });
    expect(String(failure)).toContain("cloudwatch:PutMetricData");
    expect(calls).toBe(1);
  });

  it("tries a failing service once: the next data are ten seconds away", async () => {
    const { failure, calls } = await send([datum], (faults) =>
      faults.refuse("PutMetricData", "InternalServiceFault", { count: Number.POSITIVE_INFINITY }),
    );
    expect(failure).toMatchObject({ code: "PIO_AWS_UNAVAILABLE", retryable: true });
    expect(calls).toBe(1);
  });

  it("has no client where no metrics are wanted", () => {
    using clients = createAwsClients({ region: "eu-west-1", credentials });
    expect(clients.cloudwatch).toBeUndefined();
  });
});
