import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CallTurns } from "../src/call-turns.ts";

/** Asks for `count` calls at once. @returns the numbers of those that have begun. */
function ask(turns: CallTurns, count: number): number[] {
  const begun: number[] = [];
  for (let number = 0; number < count; number += 1) void turns.next().then(() => begun.push(number));
  return begun;
}

describe("CallTurns", () => {
  it("begins no more calls in one turn of the event loop than allowed, and all of them in order", async () => {
    const begun = ask(new CallTurns(3), 8);
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      await nextTurn();
      counts.push(begun.length);
    }
    expect(counts).toEqual([3, 6, 8]);
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("lets no call that comes later overtake those that wait", async () => {
    const turns = new CallTurns(1);
    const begun: string[] = [];
    void turns.next().then(() => begun.push("first"));
    void turns.next().then(() => begun.push("second"));
    await nextTurn();
    void turns.next().then(() => begun.push("third"));
    await nextTurn();
    await nextTurn();
    expect(begun).toEqual(["first", "second", "third"]);
  });

  it("begins calls of one turn together, at its end", async () => {
    const turns = new CallTurns(4);
    const begun = ask(turns, 2);
    await Promise.resolve();
    const later = ask(turns, 1);
    expect(begun).toEqual([]);
    await nextTurn();
    expect([begun, later]).toEqual([[0, 1], [0]]);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses %d calls in a turn", (perTurn) => {
    expect(() => new CallTurns(perTurn)).toThrow(RangeError);
  });
});
