import { fileURLToPath } from "node:url";
import { systemClock } from "@pulsar-ts-io/core";
import { type KinesisDouble, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { sourceContract, type WrittenConfig } from "@pulsar-ts-io/testkit/contract";
import { afterAll, beforeAll } from "vitest";
import { type RunningStack, uniqueName } from "../../../test/stack.ts";
import { KinesisSource } from "../src/index.ts";

/** The standard suite on the double and a real lease table, by one way of reading. */
export function standardSuite(
  { dynamoEndpoint }: RunningStack,
  { useEnhancedFanOut, kills }: { readonly useEnhancedFanOut: boolean; readonly kills: number },
): void {
  let kinesis: KinesisDouble;

  beforeAll(async () => {
    kinesis = await startKinesisDouble();
  });

  afterAll(async () => {
    await kinesis.close();
  });

  function config(): WrittenConfig {
    const name = uniqueName("contract");
    kinesis.model.createStream(name, 2);
    return {
      awsRegion: "us-east-1",
      awsEndpoint: kinesis.endpoint,
      dynamoEndpoint,
      awsKinesisStreamName: name,
      applicationName: name,
      awsCredentialPluginParam: JSON.stringify({ accessKey: "anyaccesskey", secretKey: "anysecretkey" }),
      initialPositionInStream: "TRIM_HORIZON",
      useEnhancedFanOut,
      pollIdleTime: 200,
      maxBufferedBytes: 10 * 1024 * 1024,
    };
  }

  sourceContract(KinesisSource, {
    directory: fileURLToPath(new URL("..", import.meta.url)),
    config,
    produce: async (records, { awsKinesisStreamName }) => {
      const stream = kinesis.model.stream(String(awsKinesisStreamName));
      for (const { key, value } of records) {
        const data = Buffer.from(value).toString("base64");
        stream.put({ partitionKey: key, data, dataBytes: value.length }, systemClock.now());
      }
    },
    invalidConfigs: [
      { config: { awsRegion: "us-east-1" }, path: "awsKinesisStreamName" },
      { config: { awsKinesisStreamName: "s", numRetries: "three" }, path: "numRetries" },
      {
        config: { awsKinesisStreamName: "s", initialPositionInStream: "YESTERDAY" },
        path: "initialPositionInStream",
      },
    ],
    clock: () => systemClock,
    patienceMs: 30_000,
    memoryBudgetBytes: 64 * 1024 * 1024,
    kills,
  });
}
