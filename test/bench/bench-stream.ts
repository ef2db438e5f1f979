import { createHash } from "node:crypto";
import { KinesisStream, type PutRecord } from "../harness/kinesis-stream.ts";
import { SeededRandom } from "../harness/seeded-random.ts";

export const shardCount = 4;
/** Records that are made and put at a time. */
const portion = 5_000;
/** Records take their bytes from a store of that many in turn: more than LZ4 looks back, and than a batch holds. */
const noiseBytes = 4_194_304;

/** A stream full of records, and what must arrive of it. Disposing deletes it. */
export interface BenchStream extends AsyncDisposable {
  readonly name: string;
  readonly records: number;
  /** SHA-256 of each record's bytes, in hex, by its key. */
  readonly digests: ReadonlyMap<string, string>;
  /** The sequence number of the last record of each shard. */
  readonly lastSequenceNumbers: ReadonlyMap<string, string>;
}

export interface StreamContent {
  readonly records: number;
  readonly sizeBytes: number;
  readonly asText: boolean;
  /** Default 4. */
  readonly shards?: number;
}

/** Puts `records` records of `sizeBytes` random bytes, or of random text, each under a key of its own, into a new stream. */
export async function fillStream(
  endpoint: string,
  { records, shards = shardCount, ...form }: StreamContent,
  report: (line: string) => void,
): Promise<BenchStream> {
  const stream = await KinesisStream.create(endpoint, "bench", shards);
  const recordOf = recordMaker(form);
  const digests = new Map<string, string>();
  const lastSequenceNumbers = new Map<string, string>();
  for (let first = 0; first < records; first += portion) {
    const batch = Array.from({ length: Math.min(portion, records - first) }, (_, index) =>
      recordOf(first + index),
    );
    for (const { key, data } of batch) digests.set(key, createHash("sha256").update(data).digest("hex"));
    for (const { shardId, sequenceNumber } of await stream.put(batch)) {
      lastSequenceNumbers.set(shardId, sequenceNumber);
    }
    if ((first / portion) % 10 === 9) report(`put ${first + batch.length} of ${records} records`);
  }
  return {
    name: stream.name,
    records,
    digests,
    lastSequenceNumbers,
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** The record of a number: noise, so that compression gains nothing, behind the number, so that no two are alike. */
export function recordMaker({
  sizeBytes,
  asText,
}: Pick<StreamContent, "sizeBytes" | "asText">): (number: number) => PutRecord {
  const bytes = new SeededRandom(1).bytes(noiseBytes + sizeBytes);
  const noise = asText ? Buffer.from(bytes.toString("base64")) : bytes;
  return (number) => {
    const at = (number * sizeBytes) % noiseBytes;
    const data = Buffer.from(noise.subarray(at, at + sizeBytes));
    data.write(String(number).padStart(8, "0"), "latin1");
    return { key: `key-${number}`, data };
  };
}
