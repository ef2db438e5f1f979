import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nearest } from "../src/index.ts";

const names = ["streamName", "homePage", "startAtTime", "retries", "roleSessionName"];

describe("nearest", () => {
  it.each([
    ["streamNmae", "streamName"],
    ["roleSessionNmae", "roleSessionName"],
    ["STREAM_NAME", "streamName"],
    ["home-page", "homePage"],
    ["HomePage", "homePage"],
    ["startAt", "startAtTime"],
    ["page", "homePage"],
  ])("takes %s for %s", (text, candidate) => {
    expect(nearest(text, names)).toBe(candidate);
  });

  it.each(["", "x", "password", "zzzzzzzzzz", "s".repeat(100_000)])(
    "has nothing to say to what is like none of them (%#)",
    (text) => {
      expect(nearest(text, names)).toBeUndefined();
    },
  );

  it("finds every name again after one typing error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.nat(),
        fc.constantFrom("drop", "double", "swap"),
        (name, at, error) => {
          const index = at % (name.length - 1);
          const letter = name.charAt(index);
          const after = name.slice(index + 1);
          const typed =
            error === "drop"
              ? after
              : error === "double"
                ? letter + letter + after
                : after.charAt(0) + letter + after.slice(1);
          expect(nearest(name.slice(0, index) + typed, names)).toBe(name);
        },
      ),
    );
  });
});
