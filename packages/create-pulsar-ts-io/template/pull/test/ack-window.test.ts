import { describe, expect, it } from "vitest";
import { AckWindow } from "../src/ack-window.ts";

describe("AckWindow", () => {
  it("never passes a gap", () => {
    const window = new AckWindow(5);
    for (const position of [6, 8, 5]) window.acknowledge(position);
    expect(window.safe).toBe(7);
    window.acknowledge(7);
    expect(window.safe).toBe(9);
  });
});
