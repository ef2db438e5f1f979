import { systemClock } from "@pulsar-ts-io/core";
import { type KinesisDouble, startKinesisDouble, testContext } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readAwsEnvironment } from "../src/aws-environment.ts";
import { connectConsumer } from "../src/connect-consumer.ts";
import { type KinesisSourceOptions, tools } from "../src/index.ts";
import { resolveOptions } from "../src/resolve-options.ts";
import { options } from "./kinesis-config.ts";

describe("the calls of the Kinesis source", () => {
  const context = testContext({ clock: systemClock, instanceId: 2, numInstances: 4 });
  let kinesis: KinesisDouble;
  let given: KinesisSourceOptions;

  beforeEach(async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "any");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
    kinesis = await startKinesisDouble();
    kinesis.model.createStream("my-stream", 1, "eu-west-1");
    given = options({
      applicationName: "orders-reader",
      awsEndpoint: kinesis.endpoint,
      dynamoEndpoint: kinesis.endpoint, // it knows none of these calls
    });
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await kinesis.close();
  });

  it("say which application they are of, and which of its instances makes them", async () => {
    // Its refusal ends the opening, whatever else is under way.
    kinesis.faults.delay("DescribeTable", 1_000);
    const { consumer, disconnect } = connectConsumer(resolveOptions(given, readAwsEnvironment()), context);
    await expect(consumer.open(context.signal)).rejects.toMatchObject({ code: "PIO_AWS_REQUEST_REFUSED" });
    await consumer.close();
    disconnect();
    const calls = kinesis.service.lastCalls();
    const operations = calls.map(({ operation }) => operation);
    expect(operations).toEqual(expect.arrayContaining(["ListShards", "DescribeTable"]));
    for (const { userAgent } of calls) expect(userAgent).toMatch(/ orders-reader instance\/2$/);
  });

  it("are of no instance when a command makes them", async () => {
    await expect(tools.partitions?.(given, context)).rejects.toMatchObject({
      code: "PIO_AWS_REQUEST_REFUSED",
    });
    const calls = kinesis.service.lastCalls();
    expect(calls.length).toBeGreaterThan(0);
    for (const { userAgent } of calls) expect(userAgent).toMatch(/ orders-reader$/);
  });
});
