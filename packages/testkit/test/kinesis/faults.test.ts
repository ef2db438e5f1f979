import { describe, expect, it } from "vitest";
import { KinesisFaults } from "../../src/index.ts";

const call = { operation: "GetRecords", streamName: "s", shardId: "shardId-000000000001" };

describe("KinesisFaults", () => {
  it("hits as many calls as asked, of that operation, stream and shard only", () => {
    const faults = new KinesisFaults();
    const fault = faults.throttle("GetRecords", { shardId: call.shardId, count: 2 });
    expect(faults.strike({ ...call, operation: "PutRecord" })).toBeUndefined();
    expect(faults.strike({ ...call, shardId: "shardId-000000000002" })).toBeUndefined();
    const effect = { kind: "refuse", error: "ProvisionedThroughputExceededException" };
    expect([faults.strike(call), faults.strike(call), faults.strike(call)]).toEqual([
      effect,
      effect,
      undefined,
    ]);
    expect(fault.hits).toBe(2);
  });

  it("hits with the probability asked for", () => {
    const draws = [0.4, 0.6, 0.1];
    const faults = new KinesisFaults(() => draws.shift() ?? 1);
    faults.reset("*", { probability: 0.5, count: 10 });
    expect([1, 2, 3].map(() => faults.strike(call)?.kind)).toEqual(["reset", undefined, "reset"]);
  });

  it("lets as many calls pass first as asked", () => {
    const faults = new KinesisFaults();
    faults.reset("GetRecords", { skip: 2 });
    expect([1, 2, 3, 4].map(() => faults.strike(call)?.kind)).toEqual([
      undefined,
      undefined,
      "reset",
      undefined,
    ]);
  });

  it("takes events for no calls: a rule for every call does not hit them", () => {
    const faults = new KinesisFaults();
    faults.reset("*");
    const event = { ...call, operation: "SubscribeToShardEvent" };
    expect(faults.strike(event)).toBeUndefined();
    faults.silence("SubscribeToShardEvent");
    expect([faults.strike(call)?.kind, faults.strike(event)?.kind]).toEqual(["reset", "silence"]);
  });

  it("denies until it is lifted", () => {
    const faults = new KinesisFaults();
    const fault = faults.deny("GetRecords");
    for (let count = 0; count < 100; count++) expect(faults.strike(call)).toBeDefined();
    fault.lift();
    expect(faults.strike(call)).toBeUndefined();
  });
});
