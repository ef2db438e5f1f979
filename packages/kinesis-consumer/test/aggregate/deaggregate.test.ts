import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginsAsAggregate } from "../../src/aggregate/aggregated-record.ts";
import { type Deaggregated, deaggregate } from "../../src/aggregate/deaggregate.ts";
import { type HashKeyRange, lastHashKey } from "../../src/shard/shard.ts";
import { aggregateOf, type PlainRecord, sealed } from "../support/kpl-encoder.ts";

interface GoldenRecord {
  readonly name: string;
  readonly made: string;
  readonly data: string;
  readonly start: string;
  readonly end: string;
  readonly java: readonly {
    readonly partitionKey: string;
    readonly data: string;
    readonly sub: number;
    readonly aggregated: boolean;
  }[];
}

const golden: readonly GoldenRecord[] = readFileSync(
  new URL("../golden/kpl-aggregates.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

const everything: HashKeyRange = { start: 0n, end: lastHashKey };

function unpack(data: Uint8Array, range: HashKeyRange | undefined): Deaggregated | undefined {
  return beginsAsAggregate(data) ? deaggregate(data, range) : undefined;
}

/** In the form of the golden answers. */
function answerTo({ data, start, end }: GoldenRecord): GoldenRecord["java"] {
  const found = unpack(Buffer.from(data, "base64"), { start: BigInt(start), end: BigInt(end) });
  if (found === undefined) return [{ partitionKey: "outer", data, sub: 0, aggregated: false }];
  return found.records.map(({ partitionKey, data: bytes }, sub) => ({
    partitionKey,
    data: Buffer.from(bytes).toString("base64"),
    sub,
    aggregated: true,
  }));
}

const plainRecord: fc.Arbitrary<PlainRecord> = fc.record({
  partitionKey: fc.string({ unit: "binary", minLength: 1, maxLength: 10 }),
  explicitHashKey: fc.option(fc.bigInt({ min: 0n, max: lastHashKey }), { nil: undefined }),
  data: fc.uint8Array({ maxLength: 200 }),
});

describe("deaggregate", () => {
  it.each(golden.filter(({ name }) => !name.startsWith("seeded")))("answers as KCL to: $name", (record) => {
    expect(answerTo(record)).toEqual(record.java);
  });

  it("answers as KCL to random changes under a right digest", () => {
    const changed = golden.filter(({ name }) => name.startsWith("seeded"));
    expect(changed).toHaveLength(200);
    for (const record of changed) expect(answerTo(record), record.name).toEqual(record.java);
  });

  it("gives back what was packed, in order", () => {
    fc.assert(
      fc.property(fc.array(plainRecord, { minLength: 1, maxLength: 40 }), (records) => {
        const found = unpack(aggregateOf(records), everything);
        expect(found?.flaw).toBeUndefined();
        expect(found?.records.map(({ partitionKey, data }) => [partitionKey, Buffer.from(data)])).toEqual(
          records.map(({ partitionKey, data }) => [partitionKey, Buffer.from(data)]),
        );
      }),
    );
  });

  it("hands out the memory of the Kinesis record, without a copy", () => {
    const packed = aggregateOf([{ partitionKey: "a", data: Buffer.from("payload") }]);
    expect(unpack(packed, everything)?.records[0]?.data.buffer).toBe(packed.buffer);
  });

  it("takes a cut or changed aggregate for a plain record, as its digest is wrong", () => {
    fc.assert(
      fc.property(
        fc.array(plainRecord, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(7),
        (records, at, bit) => {
          const packed = aggregateOf(records);
          const cut = packed.subarray(0, at % packed.length);
          const flipped = Buffer.from(packed);
          flipped[at % packed.length] = (packed[at % packed.length] ?? 0) ^ (1 << bit);
          expect(unpack(cut, everything)).toBeUndefined();
          expect(unpack(flipped, everything)).toBeUndefined();
        },
      ),
    );
  });

  it("never throws at a message that is cut, changed or mere noise, and never reads outside of it", () => {
    const noise = fc.uint8Array({ minLength: 1, maxLength: 200 });
    const changed = fc
      .tuple(fc.array(plainRecord, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(255), fc.nat())
      .map(([records, at, byte, end]) => {
        const message = Buffer.from(aggregateOf(records).subarray(4, -16));
        message[at % message.length] = byte;
        return message.subarray(0, 1 + (end % message.length));
      });
    fc.assert(
      fc.property(fc.oneof(noise, changed), (message) => {
        const packed = sealed(message);
        for (const { data } of unpack(packed, undefined)?.records ?? []) {
          expect(data.byteOffset).toBeGreaterThanOrEqual(packed.byteOffset + 4);
          expect(data.byteOffset + data.length).toBeLessThanOrEqual(packed.byteOffset + packed.length - 16);
        }
      }),
    );
  });

  it("drops all of an aggregate with one key outside the shard, and none of it without the filter", () => {
    const records = [10n, 20n, 21n].map((explicitHashKey) => ({
      partitionKey: "a",
      explicitHashKey,
      data: Buffer.from("x"),
    }));
    const packed = aggregateOf(records);
    expect(unpack(packed, { start: 10n, end: 20n })).toEqual({ records: [], flaw: "out-of-range" });
    expect(unpack(packed, { start: 10n, end: 21n })?.records).toHaveLength(3);
    expect(unpack(packed, undefined)?.records).toHaveLength(3);
  });
});
