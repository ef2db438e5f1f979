import { describe, expect, it } from "vitest";
import { murmur3 } from "../../src/producer/murmur3.ts";
import { choosePartition } from "../../src/producer/router.ts";

const value = new Uint8Array(0);

describe("choosePartition", () => {
  // Computed by Pulsar 4.0.7's own Murmur3Hash32.
  it.each([
    ["a", 1009084850, 2],
    ["key", -493065660, 2],
    ["key-1", -1733225056, 1],
    ["user-42", -1183655216, 0],
    ["hello world", 1586663183, 2],
    ["日本語", -1515949417, 1],
    ["😀", -1095487750, 1],
    ["", 0, 0],
  ])("sends the key %s where Java sends it", (key, hash, partition) => {
    expect(murmur3(Buffer.from(key))).toBe(hash);
    expect(choosePartition({ value, key }, undefined, 3, 0, 0)).toBe(partition);
  });

  it("hashes a byte key by its Base64 text", () => {
    expect(murmur3(Buffer.from("AQL/")) & 0x7fffffff).toBe(1734968601);
    expect(choosePartition({ value, key: Uint8Array.of(1, 2, 255) }, undefined, 3, 0, 0)).toBe(0);
  });

  it("goes by the sequence id without a key, also beyond 2^31", () => {
    expect(choosePartition({ value }, 7n, 3, 0, 0)).toBe(1);
    expect(choosePartition({ value }, 2n ** 53n - 1n, 4, 0, 0)).toBe(3);
  });

  it("changes the partition with the millisecond without either", () => {
    const at = (now: number) => choosePartition({ value }, undefined, 3, now, 1);
    expect([0, 0.9, 1, 2, 3].map(at)).toEqual([1, 1, 2, 0, 1]);
  });
});
