import { describe, expect, it } from "vitest";
import { RecordRandom } from "../src/record-random.ts";
import { Template } from "../src/template.ts";
import { fileText } from "./generator-host.ts";

function fill(template: string, sequence = 0): string {
  const random = new RecordRandom(1, 2, sequence);
  const epochMs = Date.UTC(2026, 2, 5, 19, 28, 58);
  return new Template(template).fill({ partition: 2, sequence, key: "key-5", epochMs, random });
}

/** The texts of 1000 records. */
function many(template: string): readonly string[] {
  return Array.from({ length: 1_000 }, (_, sequence) => fill(template, sequence));
}

describe("Template", () => {
  it.each([
    ["{{sequence}}", "0"],
    ["{{partition}}", "2"],
    ["{{key}}", "key-5"],
    ["{{time}}", "2026-03-05T19:28:58.000Z"],
    ["{{timestamp}}", "1772738938000"],
    ["{{ sequence }}", "0"],
    ['{"a":{"b":{{sequence}}}}', '{"a":{"b":0}}'],
    ["{sequence} {} }} {{", "{sequence} {} }} {{"],
    ["", ""],
  ])("makes %s to %s", (template, text) => {
    expect(fill(template)).toBe(text);
  });

  it("draws whole numbers over all of their range, both ends included", () => {
    expect([...new Set(many("{{integer -1 2}}"))].sort()).toEqual(["-1", "0", "1", "2"]);
  });

  it("draws numbers, texts, words, booleans and UUIDs", () => {
    const numbers = many("{{number 0.5 2}}").map(Number);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...numbers)).toBeLessThanOrEqual(2);
    expect(new Set(numbers).size).toBeGreaterThan(100);
    expect(new Set(many("{{text 20}}").filter((text) => /^[a-zA-Z]{20}$/.test(text))).size).toBe(1_000);
    expect([...new Set(many("{{one red green}}"))].sort()).toEqual(["green", "red"]);
    expect([...new Set(many("{{boolean}}"))].sort()).toEqual(["false", "true"]);
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(new Set(many("{{uuid}}").filter((text) => uuid.test(text))).size).toBe(1_000);
  });

  it.each([
    "{{}}",
    "{{now}}",
    "{{sequence 1}}",
    "{{integer}}",
    "{{integer 1}}",
    "{{integer 2 1}}",
    "{{integer 1.5 2}}",
    "{{number a b}}",
    "{{text}}",
    "{{text -1}}",
    "{{one}}",
  ])("refuses %s with how to write it", (template) => {
    expect(() => new Template(template)).toThrow(`template: ${template} is no placeholder`);
  });

  it("knows every placeholder of the documentation", () => {
    const documented = [...fileText("README.md").matchAll(/^\| `(\{\{.*\}\})` \|/gm)].map(
      ([, form]) => form ?? "",
    );
    expect(documented.length).toBe(11);
    for (const form of documented) expect(fill(form)).not.toContain("{{");
  });
});

describe("RecordRandom", () => {
  it("differs for each seed, partition and sequence, beyond 2^32 too", () => {
    const places = [0, 1, 2 ** 32, 2 ** 33, Number.MAX_SAFE_INTEGER];
    const drawn = places.flatMap((a) =>
      places.flatMap((b) => places.map((c) => new RecordRandom(a, b, c).bits())),
    );
    expect(new Set(drawn).size).toBe(125);
  });
});
