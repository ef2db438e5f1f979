import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  type Shard,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { eventually } from "./eventually.ts";

export interface PutRecord {
  readonly key: string;
  readonly data: Uint8Array;
  /** Names the shard, in place of the key's hash. */
  readonly hashKey?: string | undefined;
}

/** A record that was put, and what Kinesis said of it. */
export interface StoredRecord extends PutRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

/** The service takes 500 records and 5 MiB a call; emulators count the encoded size, so half of that. */
const maxRecordsPerCall = 500;
const maxBytesPerCall = 2_621_440;

/** A stream as a test sees it, through the AWS SDK: made, fed, split and merged. Disposing deletes it. */
export class KinesisStream implements AsyncDisposable {
  readonly name: string;
  readonly #client: KinesisClient;

  private constructor(client: KinesisClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  static async create(endpoint: string, name: string, shardCount: number): Promise<KinesisStream> {
    const client = new KinesisClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      requestHandler: new NodeHttpHandler({ requestTimeout: 30_000 }),
    });
    await client.send(new CreateStreamCommand({ StreamName: name, ShardCount: shardCount }));
    const stream = new KinesisStream(client, name);
    await stream.#active();
    return stream;
  }

  /** Puts `records` in order with PutRecords; answers each with its place. Repeats what the service refused. */
  async put(records: readonly PutRecord[]): Promise<StoredRecord[]> {
    const stored: StoredRecord[] = [];
    for (const call of callsOf(records)) stored.push(...(await this.#putCall(call)));
    return stored;
  }

  async shards(): Promise<Shard[]> {
    const shards: Shard[] = [];
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListShardsCommand(token === undefined ? { StreamName: this.name } : { NextToken: token }),
      );
      shards.push(...(page.Shards ?? []));
      token = page.NextToken;
    } while (token !== undefined);
    return shards;
  }

  /** Splits a shard in the middle of its range. */
  async split(shardId: string): Promise<void> {
    const range = (await this.shards()).find((shard) => shard.ShardId === shardId)?.HashKeyRange;
    const middle = (BigInt(range?.StartingHashKey ?? 0) + BigInt(range?.EndingHashKey ?? 0)) / 2n + 1n;
    await this.#client.send(
      new SplitShardCommand({
        StreamName: this.name,
        ShardToSplit: shardId,
        NewStartingHashKey: `${middle}`,
      }),
    );
    await this.#active();
  }

  async merge(shardId: string, adjacentShardId: string): Promise<void> {
    await this.#client.send(
      new MergeShardsCommand({
        StreamName: this.name,
        ShardToMerge: shardId,
        AdjacentShardToMerge: adjacentShardId,
      }),
    );
    await this.#active();
  }

  /** The shards that still take records, by the start of their range. */
  async openShards(): Promise<Shard[]> {
    return (await this.shards())
      .filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined)
      .sort((one, other) => (startOf(one) < startOf(other) ? -1 : 1));
  }

  async openShardIds(): Promise<readonly string[]> {
    return (await this.openShards()).map((shard) => shard.ShardId ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.send(new DeleteStreamCommand({ StreamName: this.name })).catch(() => undefined);
    this.#client.destroy();
  }

  async #putCall(call: readonly PutRecord[]): Promise<StoredRecord[]> {
    const stored: StoredRecord[] = [];
    let left = [...call];
    while (left.length > 0) {
      const answer = await this.#client.send(
        new PutRecordsCommand({
          StreamName: this.name,
          Records: left.map(({ key, data, hashKey }) => ({
            PartitionKey: key,
            Data: data,
            ...(hashKey === undefined ? {} : { ExplicitHashKey: hashKey }),
          })),
        }),
      );
      const refused: PutRecord[] = [];
      for (const [index, record] of left.entries()) {
        const { ShardId: shardId, SequenceNumber: sequenceNumber } = answer.Records?.[index] ?? {};
        if (shardId === undefined || sequenceNumber === undefined) refused.push(record);
        else stored.push({ ...record, shardId, sequenceNumber });
      }
      left = refused;
    }
    return stored;
  }

  async #active(): Promise<void> {
    await eventually(`stream ${this.name} to be active`, async () => {
      const answer = await this.#client.send(new DescribeStreamSummaryCommand({ StreamName: this.name }));
      return answer.StreamDescriptionSummary?.StreamStatus === "ACTIVE";
    });
  }
}

function startOf(shard: Shard): bigint {
  return BigInt(shard.HashKeyRange?.StartingHashKey ?? 0);
}

function* callsOf(records: readonly PutRecord[]): Generator<PutRecord[]> {
  let call: PutRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = record.data.length + record.key.length * 3;
    if (call.length > 0 && (call.length === maxRecordsPerCall || bytes + size > maxBytesPerCall)) {
      yield call;
      call = [];
      bytes = 0;
    }
    call.push(record);
    bytes += size;
  }
  if (call.length > 0) yield call;
}
