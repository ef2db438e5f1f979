import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instantText } from "../src/instant-text.ts";
import { fileText } from "./kinesis-config.ts";

/** Written by java.time.Instant.toString(). */
const vectors: readonly (readonly [number, string])[] = JSON.parse(fileText("golden/java-instants.json"));

describe("instantText", () => {
  it.each(vectors)("writes %d as Java does: %s", (epochMs, text) => {
    expect(instantText(new Date(epochMs))).toBe(text);
  });

  it("loses nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (epochMs) => {
        expect(Date.parse(instantText(new Date(epochMs)))).toBe(epochMs);
      }),
    );
  });
});
