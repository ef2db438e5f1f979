import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StreamedRecords } from "../../src/fetch/streamed-records.ts";

const noise = randomBytes(200_000);

/** Payloads of any size, as base64 or as a text that is none. */
const data = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }).map((size) => noise.toString("base64", 0, size)) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 0, max: 200_000 }).map((size) => noise.toString("base64", 0, size)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("ab!d", "YQ", "a-_b", "=", "YQ==YQ==", 'a"b', "~0", "\\", "é", "12"),
  },
);
const text = fc.oneof(
  fc.string(),
  fc.constantFrom('"Data":"YQ=="', '\\"Data', "Data", ',"Data":', '{"Data" : "YQ=="}', "~0"),
);
const record = fc.record({ Data: data, PartitionKey: text, SequenceNumber: text });
const body = fc.record({ Records: fc.array(record, { maxLength: 6 }), Data: fc.option(text), Next: text });
/** Where the body is cut: lengths of pieces, taken in turn. */
const cuts = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 5 });
const fineCuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function take(pieces: readonly Uint8Array[]): StreamedRecords & { readonly json: string } {
  const streamed = new StreamedRecords();
  for (const piece of pieces) streamed.push(piece);
  return Object.assign(streamed, { json: streamed.end() });
}

describe("an answer that is taken apart while it arrives", { timeout: 60_000 }, () => {
  it("gives each payload, and the JSON around them, wherever it was cut and however it is spaced", () => {
    fc.assert(
      fc.property(body, cuts, fc.constantFrom(undefined, 1), (told, lengths, spaces) => {
        const bytes = Buffer.from(JSON.stringify(told, undefined, spaces));
        const streamed = take(cut(bytes, lengths));
        if (!streamed.plain) return;
        const restored: unknown = JSON.parse(streamed.json, (name, value: unknown) =>
          name === "Data" && typeof value === "string" ? streamed.payload(value)?.toString("base64") : value,
        );
        expect(restored).toEqual(plainData(told));
      }),
    );
  });

  it("gives back the whole body when it is for the SDK to judge, byte for byte", () => {
    const broken = fc.tuple(body, fc.nat(), fc.constantFrom("", '"', "\\", "=", "\n", "é"));
    fc.assert(
      fc.property(broken, fc.oneof(cuts, fineCuts), ([told, at, extra], lengths) => {
        const whole = JSON.stringify(told);
        const place = at % whole.length;
        const bytes = Buffer.from(whole.slice(0, place) + extra + whole.slice(place + 1));
        const small = bytes.length > 5_000 ? [70_000, 3] : lengths;
        expect(take(cut(bytes, small)).whole().equals(bytes)).toBe(true);
      }),
    );
  });

  it.each(['{"Data":"+/+="}', '{"Data":"QR=="}', `{"Data":"${"A".repeat(8_000)}QUJ="}`])(
    "gives back base64 that no encoder writes as it came: %#",
    (text) => {
      const bytes = Buffer.from(text);
      expect(
        take(cut(bytes, [bytes.length]))
          .whole()
          .equals(bytes),
      ).toBe(true);
    },
  );

  it("keeps no more than the payloads and the text around them", () => {
    const record = { Data: noise.toString("base64", 0, 70_000), PartitionKey: "k" };
    const bytes = Buffer.from(JSON.stringify({ Records: Array.from({ length: 100 }, () => record) }));
    const streamed = take(cut(bytes, [65_536]));
    expect(streamed.json.length).toBeLessThan(100 * 60);
    expect(streamed.payload("~99")?.buffer.byteLength).toBe(70_000);
  });
});

/** As base64 that could be decoded is written again. */
function plainData(told: object): unknown {
  return JSON.parse(JSON.stringify(told), (name, value: unknown) =>
    name === "Data" && typeof value === "string" ? Buffer.from(value, "base64").toString("base64") : value,
  );
}
