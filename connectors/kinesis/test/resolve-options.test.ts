import { describe, expect, it } from "vitest";
import { readAwsEnvironment } from "../src/aws-environment.ts";
import { KinesisConfigError } from "../src/index.ts";
import { resolveOptions } from "../src/resolve-options.ts";
import { options } from "./kinesis-config.ts";

const nowhere = readAwsEnvironment({});

describe("resolveOptions", () => {
  it("translates a minimal config", () => {
    const { record, endpoints, ...config } = resolveOptions(options(), nowhere);
    expect(config).toEqual({
      streamName: "my-stream",
      applicationName: "pulsar-kinesis",
      initialPosition: { kind: "latest" },
      retrieval: { kind: "fan-out", consumerName: "pulsar-kinesis", fallback: undefined },
      aggregates: { kind: "split", filterByHashKey: true },
      checkpointIntervalMs: 60_000,
      backoffMs: 3_000,
      checkpointAttempts: 3,
      maxBufferedRecords: 1_000,
      maxBufferedBytes: 67_108_864,
      onStreamRecreated: "fail",
      metricsLevel: "DETAILED",
      cbor: true,
      credentials: { kind: "default-chain" },
    });
    expect(record.properties).toHaveLength(4);
    expect(endpoints.region).toBe("eu-west-1");
  });

  it.each([
    [{ initialPositionInStream: "TRIM_HORIZON" }, { initialPosition: { kind: "trim-horizon" } }],
    [
      { initialPositionInStream: "AT_TIMESTAMP", startAtTime: "2019-03-05T20:28:58+01:00" },
      { initialPosition: { kind: "at-timestamp", epochMs: 1_551_814_138_000 } },
    ],
    [{ useEnhancedFanOut: false }, { retrieval: { kind: "polling", idleMs: 1_000 } }],
    [{ useEnhancedFanOut: "false", pollIdleTime: 250 }, { retrieval: { kind: "polling", idleMs: 250 } }],
    [
      { fallbackToPolling: "true", applicationName: "orders" },
      {
        retrieval: { kind: "fan-out", consumerName: "orders", fallback: { kind: "polling", idleMs: 1_000 } },
      },
    ],
    [{ kplHashRangeFilter: "off" }, { aggregates: { kind: "split", filterByHashKey: false } }],
    [{ onStreamRecreated: "reset" }, { onStreamRecreated: "reset" }],
    [{ kplDeaggregation: false }, { aggregates: { kind: "keep" } }],
    [{ numRetries: 0 }, { checkpointAttempts: 1 }],
    [{ numRetries: 7 }, { checkpointAttempts: 7 }],
    [
      { checkpointInterval: 5, backoffTime: 6 },
      { checkpointIntervalMs: 5, backoffMs: 6 },
    ],
    [
      { receiveQueueSize: 9, maxBufferedBytes: 10_485_760 },
      { maxBufferedRecords: 9, maxBufferedBytes: 10_485_760 },
    ],
  ])("makes of %j %j", (given, expected) => {
    expect(resolveOptions(options(given), nowhere)).toMatchObject(expected);
  });

  it("names startAtTime when a config that was not validated lacks it", () => {
    const unchecked = { ...options(), initialPositionInStream: "AT_TIMESTAMP" } as const;
    expect(() => resolveOptions(unchecked, nowhere)).toThrow(KinesisConfigError);
  });
});
