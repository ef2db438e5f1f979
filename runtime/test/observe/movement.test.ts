import { describe, expect, it } from "vitest";
import { Movement } from "../../src/observe/movement.ts";
import { report } from "../support/report.ts";

describe("Movement", () => {
  it("calls it a stall when nothing is read although the source is behind", () => {
    const movement = new Movement(0);
    const behind = report({ counts: { received: 5, lagMs: 90_000 } }).counts;
    expect(movement.look(behind, [], 0)).toBeUndefined();
    expect(movement.look(behind, [], 59_999)).toBeUndefined();
    expect(movement.look(behind, [], 60_000)).toBe(
      "nothing was read for 60 s, and the source is 90 s behind",
    );
    expect(movement.look({ ...behind, received: 6 }, [], 60_001)).toBeUndefined();
  });

  it("does not call a source stalled that works its way through a stretch without records", () => {
    const movement = new Movement(0);
    for (let minute = 0; minute < 10; minute += 1) {
      const { counts } = report({ counts: { lagMs: 3_600_000 - minute * 60_000 } });
      expect(movement.look(counts, [], minute * 60_000)).toBeUndefined();
    }
  });

  it("calls it a stall when no reader gets anything for a minute, not when it is over sooner", () => {
    const movement = new Movement(0);
    const { counts } = report();
    const [failing, stuck, idle] = ["failing", "stuck", "idle"].map((activity) => [
      { id: activity, activity },
    ]);
    const look = (partitions: typeof failing, nowMs: number) =>
      movement.look(counts, partitions ?? [], nowMs);
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
    expect(movement.look(counts, [stuck, { id: "b", activity: "reading" }], 1)).toBeUndefined();
    expect(movement.look(counts, [stuck, { id: "c", owner: "another" }], 1)).toBe(
      "every partition that is read here is stuck",
    );
  });
});
