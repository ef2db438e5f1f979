import { type CheckResult, systemClock, type ToolContext } from "@pulsar-ts-io/core";
import { RecordingLogger, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type KinesisSourceOptions, tools } from "../src/index.ts";
import { options } from "./kinesis-config.ts";

const context: ToolContext = {
  clock: systemClock,
  logger: new RecordingLogger(),
  signal: new AbortController().signal,
};
/** Nothing listens there. */
const nowhere = "http://127.0.0.1:1";
const at = { kind: "at-timestamp", epochMs: Date.UTC(2026, 2, 5) } as const;

async function check(config: KinesisSourceOptions): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of tools.check?.(config, context) ?? []) results.push(result);
  return results;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the reset of the Kinesis source", () => {
  it.each([
    ["no time", {}],
    ["another time", { initialPositionInStream: "AT_TIMESTAMP", startAtTime: "2026-03-04T00:00:00Z" }],
  ])("refuses AT_TIMESTAMP before any call when the config has %s, and says what to set", async (_, more) => {
    const config = options({ ...more, awsEndpoint: nowhere, dynamoEndpoint: nowhere });
    await expect(tools.reset?.(config, at, context)).rejects.toMatchObject({
      code: "PIO_KINESIS_CONFIG",
      remedy: expect.stringContaining(
        "set initialPositionInStream: AT_TIMESTAMP and startAtTime: 2026-03-05T00:00:00.000Z",
      ),
    });
  });

  it("goes on to the table when the config has that time", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "any");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
    const time = { initialPositionInStream: "AT_TIMESTAMP", startAtTime: "2026-03-05T00:00:00Z" };
    const config = options({ ...time, awsEndpoint: nowhere, dynamoEndpoint: nowhere });
    await expect(tools.reset?.(config, at, context)).rejects.toMatchObject({ code: "PIO_AWS_UNREACHABLE" });
  });
});

describe("the check of the Kinesis source", () => {
  it("tries the role first, nothing else when it cannot be assumed, and never shows its name", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "any");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
    vi.stubEnv("AWS_ENDPOINT_URL_STS", nowhere);
    await using kinesis = await startKinesisDouble();
    const results = await check(
      options({
        awsEndpoint: kinesis.endpoint,
        dynamoEndpoint: nowhere,
        awsCredentialPluginName: "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin",
        awsCredentialPluginParam: {
          roleArn: "arn:aws:iam::123456789012:role/canary",
          roleSessionName: "session",
        },
      }),
    );
    expect(results).toMatchObject([
      { kind: "attempt", name: "sts:AssumeRole", outcome: "failed" },
      { kind: "policy", holder: "the identity that the source works as" },
      { kind: "policy", holder: "the identity that assumes the role" },
    ]);
    expect(JSON.stringify(results)).not.toContain("canary");
  });

  it("tries what needs no fan-out when the stream is polled, and leaves the stream as it is", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "any");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "any");
    await using kinesis = await startKinesisDouble();
    kinesis.model.createStream("my-stream", 1, "eu-west-1");
    const config = options({
      awsEndpoint: kinesis.endpoint,
      dynamoEndpoint: kinesis.endpoint, // it knows none of these calls
      useEnhancedFanOut: false,
    });
    const outcomes = (await check(config)).flatMap((one) =>
      one.kind === "attempt" ? [[one.name, one.outcome]] : [],
    );
    expect(outcomes.slice(0, 5)).toEqual([
      ["credentials", "ok"],
      ["kinesis:DescribeStreamSummary", "ok"],
      ["kinesis:ListShards", "ok"],
      ["kinesis:GetShardIterator", "ok"],
      ["kinesis:GetRecords", "ok"],
    ]);
    expect(outcomes).toContainEqual(["dynamodb:PutItem", "failed"]);
  });
});
