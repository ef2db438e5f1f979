import { describe, expect, it } from "vitest";
import { AckWindow } from "../src/ack-window.ts";

describe("AckWindow", () => {
  it("never passes a gap", () => {
    const window = new AckWindow(5);
    window.acknowledge(7, 12);
    expect(window.safe).toBe(5);
    window.acknowledge(5, 7);
    expect(window.safe).toBe(12);
    window.acknowledge(5, 7);
    expect(window.safe).toBe(12);
  });
});
