import type { PartitionStatus, Trouble } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import type { InstanceSnapshot } from "../../src/instance/counters.ts";
import { Movement } from "../../src/observe/movement.ts";
import { report, trouble } from "../support/report.ts";

const view = (
  snapshot: InstanceSnapshot,
  partitions: readonly PartitionStatus[] = [],
  troubles: readonly Trouble[] = [],
) => ({ snapshot, partitions, troubles });

describe("Movement", () => {
  it("calls it a stall when nothing is read although the source is behind", () => {
    const movement = new Movement(0);
    const behind = report({ counts: { received: 5, lagMs: 90_000 } }).counts;
    expect(movement.look(view(behind), 0)).toBeUndefined();
    expect(movement.look(view(behind), 59_999)).toBeUndefined();
    expect(movement.look(view(behind), 60_000)).toBe(
      "nothing was read for 60 s, and the source is 90 s behind",
    );
    expect(movement.look(view({ ...behind, received: 6 }), 60_001)).toBeUndefined();
  });

  it("does not call a source stalled that works its way through a stretch without records", () => {
    const movement = new Movement(0);
    for (let minute = 0; minute < 10; minute += 1) {
      const { counts } = report({ counts: { lagMs: 3_600_000 - minute * 60_000 } });
      expect(movement.look(view(counts), minute * 60_000)).toBeUndefined();
    }
  });

  it("calls it a stall when no reader gets anything for a minute, not when it is over sooner", () => {
    const movement = new Movement(0);
    const { counts } = report();
    const [failing, stuck, idle] = ["failing", "stuck", "idle"].map((activity) => [
      { id: activity, activity },
    ]);
    const look = (partitions: typeof failing, nowMs: number) =>
      movement.look(view(counts, partitions), nowMs);
    expect(look(failing, 0)).toBeUndefined();
    expect(look(failing, 59_000)).toBeUndefined();
    expect(look(idle, 59_500)).toBeUndefined();
    expect(look([...(failing ?? []), ...(stuck ?? [])], 119_000)).toBeUndefined();
    expect(look(failing, 119_500)).toBe("no partition could be read for 60 s");
    expect(look([], 119_600)).toBeUndefined();
    expect(look(failing, 119_700)).toBeUndefined();
  });

  it("calls it a stall when all readers say that they are stuck, not when one of them reads", () => {
    const movement = new Movement(0);
    const { counts } = report();
    const stuck = { id: "a", activity: "stuck" };
    expect(movement.look(view(counts, [stuck, { id: "b", activity: "reading" }]), 1)).toBeUndefined();
    expect(movement.look(view(counts, [stuck, { id: "c", owner: "another" }]), 1)).toBe(
      "every partition that is read here is stuck",
    );
  });

  it("calls it a stall when a trouble has kept records from moving for a minute, whatever else is unknown", () => {
    const movement = new Movement(0);
    const { counts } = report();
    const outage = trouble({ what: "position store", message: "connection refused" });
    expect(movement.look(view(counts, [], [outage]), 0)).toBeUndefined();
    expect(movement.look(view(counts, [], [outage]), 59_999)).toBeUndefined();
    expect(movement.look(view(counts, [], [outage]), 60_000)).toBe(
      "position store has failed for 60 s: connection refused",
    );
    expect(movement.look(view(counts), 60_001)).toBeUndefined();
    expect(movement.look(view(counts, [], [outage]), 119_000)).toBeUndefined();
  });

  it("does not call it a stall when records move in spite of a trouble, or the trouble does not block them", () => {
    const movement = new Movement(0);
    for (let minute = 0; minute < 5; minute += 1) {
      const { counts } = report({ counts: { received: minute + 1, written: minute + 1 } });
      expect(movement.look(view(counts, [], [trouble()]), minute * 60_000)).toBeUndefined();
    }
    const { counts } = report({ counts: { received: 5, written: 5 } });
    const beside = trouble({ blocking: false });
    expect(movement.look(view(counts, [], [beside]), 600_000)).toBeUndefined();
  });

  it("calls it a stall when the service throttles every reader for a minute and no record comes", () => {
    const movement = new Movement(0);
    const starved = [{ id: "a", activity: "starved" }];
    const { counts } = report({ counts: { received: 7 } });
    expect(movement.look(view(counts, starved), 0)).toBeUndefined();
    expect(movement.look(view(counts, starved), 60_000)).toBe("no partition could be read for 60 s");
    const more = report({ counts: { received: 8 } }).counts;
    expect(movement.look(view(more, starved), 60_001)).toBeUndefined();
  });
});
