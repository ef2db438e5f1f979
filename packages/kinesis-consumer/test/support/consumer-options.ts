import type { ConsumerOptions } from "../../src/consumer-options.ts";

/** A worker that polls a stream from its beginning, with the connector's defaults for the rest. */
export const usualOptions: ConsumerOptions = {
  streamName: "orders",
  applicationName: "orders-app",
  instanceId: "0",
  initialPosition: { kind: "trim-horizon" },
  retrieval: { kind: "polling", idleMs: 1_000 },
  aggregates: { kind: "split", filterByHashKey: true },
  checkpointIntervalMs: 60_000,
  backoffMs: 3_000,
  checkpointAttempts: 3,
  maxBufferedRecords: 1_000,
  maxBufferedBytes: 32 * 1_024 * 1_024,
};
