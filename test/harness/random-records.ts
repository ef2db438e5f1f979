import type { PutRecord } from "./kinesis-stream.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface RandomRecordCounts {
  /** Of 0 to 4 KiB. */
  readonly small: number;
  /** Of 64 to 256 KiB. */
  readonly large: number;
  /** Of exactly 1 MiB, the service's limit for data and key together being above it. */
  readonly largest: number;
}

const keyAlphabet = [..."abcdefghijklmnopqrstuvwxyz0123456789-_. äöüßéñкириллица日本語キー漢字😀🚀"];

/** Records of random bytes under random keys in UTF-8, shuffled; one of them holds every byte value in order. */
export function randomRecords(
  random: SeededRandom,
  { small, large, largest }: RandomRecordCounts,
): PutRecord[] {
  const sizes = [
    ...Array.from({ length: small - 2 }, () => random.integer(0, 4_096)),
    0,
    ...Array.from({ length: large }, () => random.integer(65_536, 262_144)),
    ...Array.from({ length: largest }, () => 1_048_576),
  ];
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
  const values = [everyByte, ...sizes.map((size) => random.bytes(size))];
  return random.shuffled(values).map((data) => ({ key: randomKey(random), data }));
}

/** 1 to 40 characters; the service takes up to 256. */
function randomKey(random: SeededRandom): string {
  const length = random.integer(1, 40);
  return Array.from({ length }, () => keyAlphabet[random.integer(0, keyAlphabet.length - 1)]).join("");
}
