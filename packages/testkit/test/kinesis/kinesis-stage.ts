import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type ListShardsCommandInput,
  PutRecordCommand,
  type PutRecordCommandOutput,
  type Shard,
  type ShardFilterType,
  type ShardIteratorType,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { uniqueName } from "../../../../test/stack.ts";

export interface IteratorRequest {
  readonly ShardIteratorType: ShardIteratorType;
  readonly StartingSequenceNumber?: string | undefined;
  readonly Timestamp?: Date | undefined;
}

/** A Kinesis, whoever plays it, with the handholds of a test. */
export class KinesisStage {
  readonly client: KinesisClient;

  constructor(endpoint: string) {
    this.client = new KinesisClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      requestHandler: new NodeHttpHandler(),
      maxAttempts: 1,
    });
  }

  /** @returns the name of a new stream that is active. */
  async createStream(ShardCount: number): Promise<string> {
    const StreamName = uniqueName("agree");
    await this.client.send(new CreateStreamCommand({ StreamName, ShardCount }));
    await this.active(StreamName);
    return StreamName;
  }

  /** Waits until the stream can be used. */
  async active(StreamName: string): Promise<void> {
    for (;;) {
      const summary = await this.client.send(new DescribeStreamSummaryCommand({ StreamName }));
      if (summary.StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
    }
  }

  async describe(StreamName: string): Promise<{ readonly StreamARN: string }> {
    const summary = await this.client.send(new DescribeStreamSummaryCommand({ StreamName }));
    return { StreamARN: summary.StreamDescriptionSummary?.StreamARN ?? "" };
  }

  async shards(input: ListShardsCommandInput): Promise<readonly Shard[]> {
    const { Shards = [] } = await this.client.send(new ListShardsCommand(input));
    return Shards;
  }

  /** Their ids, sorted. */
  async ids(input: ListShardsCommandInput): Promise<readonly string[]> {
    return (await this.shards(input)).map((shard) => shard.ShardId ?? "").sort();
  }

  filtered(StreamName: string, Type: ShardFilterType, more: object = {}): Promise<readonly string[]> {
    return this.ids({ StreamName, ShardFilter: { Type, ...more } });
  }

  async iterator(StreamName: string, ShardId: string, from: IteratorRequest): Promise<string> {
    const { ShardIterator = "" } = await this.client.send(
      new GetShardIteratorCommand({ StreamName, ShardId, ...from }),
    );
    return ShardIterator;
  }

  async read(
    StreamName: string,
    ShardId: string,
    from: IteratorRequest,
    Limit?: number,
  ): Promise<GetRecordsCommandOutput> {
    const ShardIterator = await this.iterator(StreamName, ShardId, from);
    return await this.client.send(new GetRecordsCommand({ ShardIterator, Limit }));
  }

  /** Reads a shard until it has ended, or until there is nothing more for now. */
  async readAll(StreamName: string, ShardId: string, Limit = 7): Promise<ShardRead> {
    const found: string[] = [];
    let next: string | undefined = await this.iterator(StreamName, ShardId, {
      ShardIteratorType: "TRIM_HORIZON",
    });
    for (;;) {
      const page: GetRecordsCommandOutput = await this.client.send(
        new GetRecordsCommand({ ShardIterator: next, Limit }),
      );
      found.push(...texts(page));
      next = page.NextShardIterator ?? undefined;
      const caughtUp = page.Records?.length === 0 && page.MillisBehindLatest === 0;
      if (next === undefined || caughtUp) {
        return { texts: found, ended: next === undefined, children: page.ChildShards ?? [] };
      }
    }
  }

  async put(StreamName: string, text: string, PartitionKey = "k"): Promise<PutRecordCommandOutput> {
    return await this.client.send(
      new PutRecordCommand({ StreamName, PartitionKey, Data: Buffer.from(text) }),
    );
  }

  /** Splits a shard in its middle. */
  async split(StreamName: string, shard: Shard | undefined): Promise<void> {
    const start = BigInt(shard?.HashKeyRange?.StartingHashKey ?? "0");
    const end = BigInt(shard?.HashKeyRange?.EndingHashKey ?? "0");
    const NewStartingHashKey = String((start + end) / 2n + 1n);
    await this.client.send(
      new SplitShardCommand({ StreamName, ShardToSplit: shard?.ShardId, NewStartingHashKey }),
    );
    await this.active(StreamName);
  }
}

export interface ShardRead {
  readonly texts: readonly string[];
  readonly ended: boolean;
  readonly children: NonNullable<GetRecordsCommandOutput["ChildShards"]>;
}

/** The payloads of a page or an event, as text. */
export function texts(page: Pick<GetRecordsCommandOutput, "Records">): readonly string[] {
  return (page.Records ?? []).map((record) => Buffer.from(record.Data ?? []).toString());
}

/** What a call is refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }; // the SDK's errors
    return `${$metadata?.httpStatusCode} ${name}`;
  }
  throw new Error("it was not refused");
}
