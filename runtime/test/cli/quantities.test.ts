import { describe, expect, it } from "vitest";
import { parseDuration, parseSize } from "../../src/cli/definitions/prepare.ts";

describe("an option that takes a time or a size", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
  ])("takes %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    ["512m", 536_870_912],
    ["2GB", 2_147_483_648],
    ["1k", 1_024],
  ])("takes %s", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    [parseDuration, "a time above 0 with its unit, such as 30s, 500ms or 2m."],
    [parseSize, "a size above 0 with its unit, such as 512m or 2g."],
  ])("refuses a number without a unit, and says so, whichever of the two it is", (parse, what) => {
    expect(() => parse("512")).toThrow(`It must be ${what} 512 has no unit.`);
  });

  it.each(["", "0s", "0m", "-1s", "1.5s", "soon", "5 s", "5d", "m", "constructor"])("refuses %j", (text) => {
    expect(() => parseDuration(text)).toThrow("It must be a time above 0");
    expect(() => parseSize(text === "0s" ? "0m" : text)).toThrow("It must be a size above 0");
  });
});
