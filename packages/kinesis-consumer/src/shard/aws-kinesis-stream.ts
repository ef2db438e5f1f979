import {
  DescribeStreamSummaryCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  InvalidArgumentException,
  type Shard as ListedShard,
  ListShardsCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  type ShardFilter,
  type ChildShard as ToldChildShard,
} from "@aws-sdk/client-kinesis";
import type { Clock, ConnectorError, StartPosition } from "@pulsar-ts-io/core";
import type { KinesisService } from "../aws-clients.ts";
import { readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import {
  AwsUnavailableError,
  IteratorExpiredError,
  PositionRefusedError,
  ShardNotFoundError,
  StreamNotFoundError,
} from "../errors.ts";
import type { KinesisStream, ReadPosition, RecordPage } from "./kinesis-stream.ts";
import { type ChildShard, type HashKeyRange, type Shard, type ShardId, shardId } from "./shard.ts";

/** Longest time of a call for a page, milliseconds: 10 MB may come over a slow line. Silence ends it sooner. */
const pageWithinMs = 20_000;

/** The stream in Kinesis. */
export class AwsKinesisStream implements KinesisStream {
  readonly #kinesis: KinesisService;
  readonly #streamName: string;
  readonly #clock: Clock;
  #serviceAheadMs = 0;

  constructor(kinesis: KinesisService, streamName: string, clock: Clock) {
    this.#kinesis = kinesis;
    this.#streamName = streamName;
    this.#clock = clock;
  }

  serviceTimeMs(): number {
    return this.#clock.now() + this.#serviceAheadMs;
  }

  async listShards(from: StartPosition | undefined, signal: AbortSignal): Promise<readonly Shard[]> {
    const shards: Shard[] = [];
    let token: string | undefined;
    do {
      // A token stands for the stream and the filter: the service refuses them beside it.
      const command = new ListShardsCommand(
        token === undefined
          ? {
              StreamName: this.#streamName,
              ...(from === undefined ? {} : { ShardFilter: shardFilter(from) }),
            }
          : { NextToken: token },
      );
      command.middlewareStack.add(this.#noteDate, { step: "deserialize", name: "noteServiceDate" });
      const page = await this.#call("ListShards", undefined, signal, () =>
        this.#kinesis.call(command, signal),
      );
      for (const shard of page.Shards ?? []) shards.push(readShard(shard));
      token = page.NextToken;
    } while (token !== undefined && token !== "");
    return shards;
  }

  async createdMs(signal: AbortSignal): Promise<number | undefined> {
    const command = new DescribeStreamSummaryCommand({ StreamName: this.#streamName });
    const answer = await this.#call("DescribeStreamSummary", undefined, signal, () =>
      this.#kinesis.call(command, signal),
    );
    return answer.StreamDescriptionSummary?.StreamCreationTimestamp?.getTime();
  }

  async openIterator(id: ShardId, position: ReadPosition, signal: AbortSignal): Promise<string> {
    const command = new GetShardIteratorCommand({
      StreamName: this.#streamName,
      ShardId: id,
      ...iteratorPosition(position),
    });
    command.middlewareStack.add(this.#noteDate, { step: "deserialize", name: "noteServiceDate" });
    const answer = await this.#call("GetShardIterator", id, signal, () =>
      this.#kinesis.call(command, signal),
    );
    if (answer.ShardIterator === undefined || answer.ShardIterator === "") {
      // KCL takes this for the end of the shard, and so leaves its children unread.
      throw new AwsUnavailableError(`Kinesis gave no iterator for ${id}`);
    }
    return answer.ShardIterator;
  }

  async getRecords(id: ShardId, iterator: string, limit: number, signal: AbortSignal): Promise<RecordPage> {
    const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: limit });
    const answer = await this.#call("GetRecords", id, signal, () =>
      this.#kinesis.call(command, signal, { withinMs: pageWithinMs }),
    );
    return readPage(answer);
  }

  async #call<T>(
    operation: string,
    id: ShardId | undefined,
    signal: AbortSignal,
    send: () => Promise<T>,
  ): Promise<T> {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#translate(error, operation, id);
    }
  }

  async #translate(error: unknown, operation: string, id: ShardId | undefined): Promise<ConnectorError> {
    const failure = readAwsFailure(error);
    const where = await this.#kinesis.describe(failure);
    const stream = `stream "${this.#streamName}"`;
    const details = { stream: this.#streamName, shardId: id, region: where.region, endpoint: where.endpoint };
    const options = { cause: failure.cause, details };
    if (error instanceof ResourceNotFoundException) {
      if (id !== undefined)
        return new ShardNotFoundError(`Kinesis knows no shard ${id} of ${stream}`, options);
      return new StreamNotFoundError(`there is no ${stream} in region ${where.region} at ${where.endpoint}`, {
        ...options,
        remedy:
          "check the stream's name; a stream of that name may be in another region or account, or behind another endpoint",
      });
    }
    if (error instanceof ResourceInUseException) {
      return new AwsUnavailableError(`the ${stream} is being created or deleted`, options);
    }
    if (error instanceof ExpiredIteratorException) {
      return new IteratorExpiredError(`the iterator of ${id} has expired`, options);
    }
    if (error instanceof InvalidArgumentException && id !== undefined) {
      return new PositionRefusedError(`Kinesis refuses a position in ${id}: ${failure.message}`, options);
    }
    if (failure.name === "ExpiredNextTokenException") {
      // After five minutes between two pages: as in a process that was suspended. The next listing begins anew.
      return new AwsUnavailableError(`the listing of the shards of ${stream} was not ended in time`, options);
    }
    return translateAwsFailure(failure, { service: "Kinesis", operation, resource: stream, ...where });
  }

  /** Middleware that notes the difference between the service's clock and ours, to the second that the header has. */
  readonly #noteDate: <A, R extends { response: unknown }>(
    next: (args: A) => Promise<R>,
  ) => (args: A) => Promise<R> = (next) => async (args) => {
    const result = await next(args);
    const told = dateHeader(result.response);
    if (told !== undefined) this.#serviceAheadMs = told - this.#clock.now();
    return result;
  };
}

function dateHeader(response: unknown): number | undefined {
  if (typeof response !== "object" || response === null || !("headers" in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== "object" || headers === null || !("date" in headers)) return undefined;
  const told = Date.parse(String(headers.date));
  return Number.isNaN(told) ? undefined : told;
}

function shardFilter(from: StartPosition): ShardFilter {
  switch (from.kind) {
    case "latest":
      return { Type: "AT_LATEST" };
    case "trim-horizon":
      return { Type: "AT_TRIM_HORIZON" };
    case "at-timestamp":
      return { Type: "AT_TIMESTAMP", Timestamp: new Date(from.epochMs) };
    default:
      return from satisfies never;
  }
}

function iteratorPosition(position: ReadPosition) {
  switch (position.kind) {
    case "trim-horizon":
      return { ShardIteratorType: "TRIM_HORIZON" } as const;
    case "at-timestamp":
      return { ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(position.epochMs) } as const;
    case "at-sequence":
      return {
        ShardIteratorType: "AT_SEQUENCE_NUMBER",
        StartingSequenceNumber: position.sequenceNumber,
      } as const;
    case "after-sequence":
      return {
        ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber: position.sequenceNumber,
      } as const;
    default:
      return position satisfies never;
  }
}

function readPage(answer: GetRecordsCommandOutput): RecordPage {
  return {
    records: answer.Records ?? [],
    next: answer.NextShardIterator === "" ? undefined : answer.NextShardIterator,
    millisBehindLatest: answer.MillisBehindLatest ?? 0,
    children: readChildren(answer.ChildShards),
  };
}

function readShard(shard: ListedShard): Shard {
  return {
    shardId: readId(shard.ShardId),
    parentShardIds: [shard.ParentShardId, shard.AdjacentParentShardId].flatMap((id) =>
      id === undefined || id === "" ? [] : [shardId(id)],
    ),
    hashKeyRange: readRange(shard.HashKeyRange),
    startingSequenceNumber: BigInt(shard.SequenceNumberRange?.StartingSequenceNumber ?? "0"),
    open: !shard.SequenceNumberRange?.EndingSequenceNumber,
  };
}

/** None for a child of which the answer does not say whose it is: such an end is not believed. */
export function readChildren(told: readonly ToldChildShard[] | undefined): readonly ChildShard[] {
  return (told ?? []).flatMap(readChild);
}

function readChild(child: ToldChildShard): ChildShard[] {
  const parents = child.ParentShards ?? [];
  if (child.ShardId === undefined || parents.length === 0) return [];
  return [
    {
      shardId: shardId(child.ShardId),
      parentShardIds: parents.map(shardId),
      hashKeyRange: readRange(child.HashKeyRange),
    },
  ];
}

function readRange(range: ListedShard["HashKeyRange"]): HashKeyRange {
  if (range?.StartingHashKey === undefined || range.EndingHashKey === undefined) {
    throw new AwsUnavailableError("Kinesis told of a shard without its hash key range");
  }
  return { start: BigInt(range.StartingHashKey), end: BigInt(range.EndingHashKey) };
}

function readId(id: string | undefined): ShardId {
  if (id === undefined) throw new AwsUnavailableError("Kinesis told of a shard without its id");
  return shardId(id);
}
