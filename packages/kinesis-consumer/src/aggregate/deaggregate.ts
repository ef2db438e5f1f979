import type { HashKeyRange } from "../shard/shard.ts";
import { type AggregatedRecord, type IndexedRecord, parseAggregate } from "./aggregated-record.ts";
import { hashKeyOf, parseHashKey } from "./effective-hash-key.ts";

/** One of the records that a producer packed into a Kinesis record. Its place in the list is its sub-sequence number. */
export interface UserRecord {
  readonly partitionKey: string;
  /** Memory of the Kinesis record. */
  readonly data: Uint8Array;
}

/** What an aggregate gives. */
export interface Deaggregated {
  readonly records: readonly UserRecord[];
  /**
   * `out-of-range`: a key belongs to another shard, so nothing of the aggregate is delivered. After a reshard the producer sees that it
   * landed on the wrong shard, and sends it again.
   *
   * `broken`: a record names a key that is not there, or a hash key that is no number: it and those after it are left out.
   */
  readonly flaw: "out-of-range" | "broken" | undefined;
}

/**
 * Unpacks an aggregate of the Kinesis Producer Library exactly as KCL does: sub-sequence numbers must mean the same to both.
 *
 * @param data which begins as an aggregate.
 * @param range the hash keys of the shard, or `undefined` to deliver whatever is in it.
 * @returns `undefined` when it is no aggregate after all, and is delivered as it is.
 * @see AggregatorUtil.deaggregate in KCL
 */
export function deaggregate(data: Uint8Array, range: HashKeyRange | undefined): Deaggregated | undefined {
  const aggregate = parseAggregate(data);
  if (aggregate === undefined) return undefined;
  const keys = new Keys(aggregate);
  const records: UserRecord[] = [];
  for (const record of aggregate.records) {
    const partitionKey = keys.partitionKey(record);
    if (partitionKey === undefined) return { records, flaw: "broken" };
    if (range !== undefined) {
      const hashKey = keys.hashKey(record);
      if (hashKey === undefined) return { records, flaw: "broken" };
      if (hashKey < range.start || hashKey > range.end) return { records: [], flaw: "out-of-range" };
    }
    records.push({ partitionKey, data: record.data });
  }
  return { records, flaw: undefined };
}

/** The tables of keys, each key decoded and hashed once: many records share one. */
class Keys {
  readonly #aggregate: AggregatedRecord;
  readonly #texts: string[] = [];
  readonly #hashes: bigint[] = [];
  readonly #explicit: bigint[] = [];

  constructor(aggregate: AggregatedRecord) {
    this.#aggregate = aggregate;
  }

  partitionKey({ partitionKeyIndex: index }: IndexedRecord): string | undefined {
    const known = this.#texts[index];
    if (known !== undefined) return known;
    const bytes = this.#aggregate.partitionKeys[index];
    if (bytes === undefined) return undefined;
    const text = textOf(bytes);
    this.#texts[index] = text;
    return text;
  }

  /** `undefined` when it is no number, or when its index points nowhere. */
  hashKey(record: IndexedRecord): bigint | undefined {
    const { partitionKeyIndex, explicitHashKeyIndex: index } = record;
    if (index !== undefined) return this.#explicitHashKey(index);
    const known = this.#hashes[partitionKeyIndex];
    if (known !== undefined) return known;
    const partitionKey = this.partitionKey(record);
    if (partitionKey === undefined) return undefined;
    const hashKey = hashKeyOf(partitionKey);
    this.#hashes[partitionKeyIndex] = hashKey;
    return hashKey;
  }

  #explicitHashKey(index: number): bigint | undefined {
    const known = this.#explicit[index];
    if (known !== undefined) return known;
    const bytes = this.#aggregate.explicitHashKeys[index];
    const hashKey = bytes === undefined ? undefined : parseHashKey(textOf(bytes));
    if (hashKey !== undefined) this.#explicit[index] = hashKey;
    return hashKey;
  }
}

/** As Java decodes it: what is no UTF-8 becomes U+FFFD, and each surrogate one of them, for which Node has three. */
function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  if (!text.includes("\ufffd")) return text;
  const spelt = buffer.toString("latin1").replace(/\xed[\xa0-\xbf][\x80-\xbf]/g, "\xef\xbf\xbd");
  return Buffer.from(spelt, "latin1").toString("utf8");
}
