/**
 * What a sequence number of ours is made of, from its highest digit to its lowest. As AWS's it has 56 decimal digits,
 * begins with 49, grows within a shard, and those of a child are above all of its parents'.
 */
export interface SequenceParts {
  /** When the shard was created, seconds since the epoch: no two generations share one. */
  readonly shardCreated: number;
  /** 0 for the shard's starting sequence number, then 1 for its first record, and so on. */
  readonly index: number;
  /** When the record arrived, seconds since the epoch. */
  readonly arrived: number;
  /** The number in the shard's id. */
  readonly shardNumber: number;
}

// 47 hexadecimal digits: a 2, then 9 (creation), 16 (index), 9 (arrival), 4 zeros, 8 (shard).
const versionBits = 184n;
const createdShift = 148n;
const indexShift = 84n;
const arrivedShift = 48n;
const version = 2n << versionBits;

export function sequenceNumber(parts: SequenceParts): bigint {
  return (
    version |
    (BigInt(parts.shardCreated) << createdShift) |
    (BigInt(parts.index) << indexShift) |
    (BigInt(parts.arrived) << arrivedShift) |
    BigInt(parts.shardNumber)
  );
}

const pattern = /^(0|[1-9]\d{0,128})$/;

/** Whether `text` looks like a sequence number to Kinesis: digits without leading zeros. */
export function isSequenceNumber(text: string): boolean {
  return pattern.test(text);
}

/** The parts of a number of ours; `undefined` for any other number. */
export function sequenceParts(number: bigint): SequenceParts | undefined {
  if (number >> versionBits !== 2n) return undefined;
  const field = (shift: bigint, bits: bigint) => Number((number >> shift) & ((1n << bits) - 1n));
  return {
    shardCreated: field(createdShift, 36n),
    index: field(indexShift, 64n),
    arrived: field(arrivedShift, 36n),
    shardNumber: field(0n, 32n),
  };
}
