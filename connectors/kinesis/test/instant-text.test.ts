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

  it("tells neighbours in one second apart, and a second from the next", () => {
    const texts = [1_000, 1_007, 1_050, 1_999, 2_000, 1_000].map((epochMs) => instantText(new Date(epochMs)));
    expect(texts.map((text) => text.slice("1970-01-01T00:00:".length))).toEqual([
      "01Z",
      "01.007Z",
      "01.050Z",
      "01.999Z",
      "02Z",
      "01Z",
    ]);
  });

  it("loses nothing", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (epochMs) => {
        expect(Date.parse(instantText(new Date(epochMs)))).toBe(epochMs);
      }),
    );
  });
});
