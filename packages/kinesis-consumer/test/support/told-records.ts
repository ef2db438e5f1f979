import fc from "fast-check";

/** A record as Kinesis tells it in JSON. */
export const toldRecord: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.record(
  {
    Data: fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data).toString("base64")),
    PartitionKey: fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
    SequenceNumber: fc.bigInt({ min: 0n, max: 1n << 186n }).map(String),
    ApproximateArrivalTimestamp: fc.integer({ min: 0, max: 4e12 }).map((ms) => ms / 1_000),
    EncryptionType: fc.constantFrom("NONE", "KMS", null),
  },
  { requiredKeys: ["Data", "PartitionKey", "SequenceNumber", "ApproximateArrivalTimestamp"] },
);

/** The children of a shard at its end, or none. */
export const toldChildren: fc.Arbitrary<readonly object[] | null> = fc.constantFrom(null, [
  {
    ShardId: "shardId-1",
    ParentShards: ["shardId-0"],
    HashKeyRange: { StartingHashKey: "0", EndingHashKey: "9" },
  },
]);
