import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { recordMaker } from "./bench-stream.ts";

function records(content: { readonly sizeBytes: number; readonly asText: boolean }, count: number) {
  const recordOf = recordMaker(content);
  return Array.from({ length: count }, (_, number) => recordOf(number).data);
}

describe("the records of a benchmark", () => {
  it("have nothing in common that a batch could be compressed by", () => {
    const batch = Buffer.concat(records({ sizeBytes: 1_024, asText: false }, 128));
    expect(deflateRawSync(batch).length).toBeGreaterThan(batch.length * 0.99);
  });

  it("have nothing in common as text, of which a quarter can be saved by the alphabet alone", () => {
    const batch = Buffer.concat(records({ sizeBytes: 1_024, asText: true }, 128));
    expect(batch.every((byte) => byte < 128)).toBe(true);
    expect(deflateRawSync(batch).length).toBeGreaterThan(batch.length * 0.75);
  });

  it("have the size they were asked for, and are all different", () => {
    const all = records({ sizeBytes: 256, asText: false }, 20_000);
    expect(new Set(all.map(({ length }) => length))).toEqual(new Set([256]));
    expect(new Set(all.map((data) => Buffer.from(data).toString("latin1"))).size).toBe(20_000);
  });
});
