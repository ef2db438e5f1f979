import { describe, expect, it } from "vitest";
import { sourceStatus } from "../../src/observe/source-status.ts";
import { report } from "../support/report.ts";

/** What Pulsar 4.0.7 answers about a source that runs, recorded. */
const javaStatus = {
  numInstances: 1,
  numRunning: 1,
  instances: [
    {
      instanceId: 0,
      status: {
        running: true,
        error: "",
        numRestarts: 0,
        numReceivedFromSource: 7,
        numSystemExceptions: 0,
        latestSystemExceptions: [],
        numSourceExceptions: 0,
        latestSourceExceptions: [],
        numWritten: 7,
        lastReceivedTime: 1795334585255,
        workerId: "c-standalone-fw-127.0.0.1-8190",
      },
    },
  ],
};

const context = {
  source: {
    tenant: "public",
    namespace: "default",
    name: "eo",
    connector: "tick",
    version: "1",
    topic: "t",
    processingGuarantees: "ATLEAST_ONCE",
    startTime: 1,
    configs: {},
  },
  workerId: "c-standalone-fw-127.0.0.1-8190",
  recordsPerSecond: () => 4.5,
  time: 99,
};

describe("sourceStatus", () => {
  it("says what Pulsar's status says, in its words", () => {
    const counts = { received: 7, written: 7, lastReceivedTime: 1795334585255 };
    const { source, time, ...status } = sourceStatus([report({ counts })], context);
    const instances = status.instances.map(({ details, ...instance }) => instance);
    expect({ ...status, instances }).toEqual(javaStatus);
    expect({ source, time }).toEqual({ source: context.source, time: 99 });
  });

  it("tells failures with the time of each, and counts the source's own, which Java leaves at 0", () => {
    const error = { message: "[TypeError]: no", atMs: 5 };
    const failed = report({
      state: "failed",
      error: "no",
      restarts: 2,
      systemErrors: [error],
      sourceErrors: [error],
      counts: { systemExceptions: 4, sourceExceptions: 3 },
    });
    const exceptions = [{ exceptionString: "[TypeError]: no", timestampMs: 5 }];
    const status = sourceStatus([failed, report({ instanceId: 1, state: "draining" })], context);
    expect(status).toMatchObject({ numInstances: 2, numRunning: 1 });
    expect(status.instances[0]?.status).toMatchObject({
      running: false,
      error: "no",
      numRestarts: 2,
      numSystemExceptions: 4,
      latestSystemExceptions: exceptions,
      numSourceExceptions: 3,
      latestSourceExceptions: exceptions,
    });
  });

  it("tells of partitions how fast they are read", () => {
    const partitions = [{ id: "a", owner: "w", lagMs: 4 }];
    const { instances } = sourceStatus([report({ partitions })], context);
    expect(instances[0]?.details.partitions).toEqual([
      { id: "a", owner: "w", lagMs: 4, recordsPerSecond: 4.5 },
    ]);
  });
});
