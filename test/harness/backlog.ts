import { randomBytes } from "node:crypto";
import { type KinesisDouble, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { uniqueName } from "../stack.ts";

/** Distinct payloads, used in turn: more than a compression looks back, and than a batch holds. */
const payloads = 64;

export interface BacklogContent {
  readonly shards: number;
  readonly bytes: number;
  readonly recordBytes: number;
}

/** A stream full of random bytes, in a Kinesis of this process. */
export interface Backlog extends AsyncDisposable {
  readonly kinesis: KinesisDouble;
  readonly streamName: string;
  readonly records: number;
}

export async function startBacklog({ shards, bytes, recordBytes }: BacklogContent): Promise<Backlog> {
  const kinesis = await startKinesisDouble();
  const streamName = uniqueName("backlog");
  const stream = kinesis.model.createStream(streamName, shards);
  const texts = Array.from({ length: payloads }, () => randomBytes(recordBytes).toString("base64"));
  const each = Math.ceil(bytes / recordBytes / shards);
  const now = Date.now();
  let records = 0;
  for (const shard of stream.shards(now)) {
    for (let index = 0; index < each; index += 1, records += 1) {
      const data = texts[records % payloads] ?? "";
      shard.append({ partitionKey: `key-${records}`, data, dataBytes: recordBytes }, now);
    }
  }
  return { kinesis, streamName, records, [Symbol.asyncDispose]: () => kinesis.close() };
}
