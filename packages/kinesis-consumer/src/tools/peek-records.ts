import type { StartPosition, ToolContext } from "@pulsar-ts-io/core";
import { Deaggregator } from "../aggregate/deaggregator.ts";
import { initialCheckpoint } from "../checkpoint.ts";
import type { AggregateHandling } from "../consumer-options.ts";
import type { Lease } from "../lease/lease.ts";
import { asCreated } from "../lease/lease-maker.ts";
import { retryBriefly } from "../retry.ts";
import { listShardsAt } from "../shard/first-leases.ts";
import type { KinesisStream, RawRecord } from "../shard/kinesis-stream.ts";
import type { ChildShard } from "../shard/shard.ts";
import { ShardCursor } from "../shard/shard-cursor.ts";
import type { ConsumerPorts } from "../stream-consumer.ts";
import { tableExists } from "./inspect-leases.ts";

/** Kinesis allows each shard five reads a second, shared by all who read it. */
const roundMs = 250;
/** A shard with little in it is answered in many empty pages. */
const lookForMs = 20_000;
const retryMs = 3_000;
const noBytes = new Uint8Array(0);

export interface PeekOptions {
  readonly streamName: string;
  readonly initialPosition: StartPosition;
  readonly aggregates: AggregateHandling;
  /** How many records at most. */
  readonly count: number;
}

/** A record that nobody took: it is acknowledged to nobody. */
export class PeekedRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly shardId: string;
  readonly arrival: Date | undefined;
  readonly encryptionType: string;
  readonly millisBehindLatest: number;
  readonly partitionId: string;
  readonly recordSequence: undefined;

  constructor(raw: RawRecord, shardId: string, millisBehindLatest: number, part?: PartOfRecord) {
    this.data = part?.data ?? raw.Data ?? noBytes;
    this.partitionKey = part?.partitionKey ?? raw.PartitionKey ?? "";
    this.sequenceNumber = raw.SequenceNumber ?? "";
    this.shardId = shardId;
    this.arrival = raw.ApproximateArrivalTimestamp;
    this.encryptionType = raw.EncryptionType ?? "NONE";
    this.millisBehindLatest = millisBehindLatest;
    this.partitionId = shardId;
  }

  ack(): void {
    // Nothing was taken.
  }
}

interface PartOfRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
}

/**
 * Yields what a worker would read next, shard by shard in turn, up to the newest records there are now.
 *
 * Takes no lease and writes nothing. A shard is read once its parents were, as a worker does. It ends after 20 s.
 */
export async function* peekRecords(
  { stream, table }: ConsumerPorts,
  context: ToolContext,
  options: PeekOptions,
): AsyncGenerator<PeekedRecord, void, undefined> {
  const { clock, signal } = context;
  const stored = (await tableExists(table, signal)) ? await table.list({ consistent: true }, signal) : [];
  const leases = stored.length > 0 ? stored : await newLeases(stream, options, signal);
  const deadline = clock.monotonic() + lookForMs;
  const known = new Set(leases.map(({ shardId }) => shardId));
  const open = (lease: Lease) => new PeekingReader(stream, lease, context, options);
  let readers = leases.filter(isReadable).map(open);
  let left = options.count;
  while (readers.length > 0 && clock.monotonic() < deadline) {
    for await (const record of oneRound(readers, left)) {
      yield record;
      left -= 1;
      if (left === 0) return;
    }
    const children = readers
      .flatMap((reader) => reader.children)
      .filter(({ shardId }) => !known.has(shardId));
    for (const { shardId } of children) known.add(shardId);
    readers = [...readers.filter((reader) => !reader.ended), ...children.map(asLease).map(open)];
    if (readers.length > 0) await clock.sleep(roundMs, signal);
  }
}

/** One answer for each shard whose parents were read, which share in `count`. */
async function* oneRound(readers: readonly PeekingReader[], count: number): AsyncGenerator<PeekedRecord> {
  const waiting = new Set(readers.map(({ lease }) => lease.shardId));
  const turn = readers.filter(({ lease }) => lease.parentShardIds.every((id) => !waiting.has(id)));
  for (const reader of turn) yield* await reader.next(Math.ceil(count / turn.length));
}

/** Those that a first start would create. */
async function newLeases(
  stream: KinesisStream,
  { initialPosition, streamName }: PeekOptions,
  signal: AbortSignal,
): Promise<readonly Lease[]> {
  const shards = await listShardsAt(stream, initialPosition, signal);
  const startTimeMs = initialPosition.kind === "latest" ? stream.serviceTimeMs() : undefined;
  const checkpoint = initialCheckpoint(initialPosition);
  return shards.map((shard) =>
    asCreated({ ...shard, checkpoint, startTimeMs }, { streamName, streamCreatedMs: undefined }),
  );
}

/** A child's lease, as the end of its parent creates it. */
function asLease(child: ChildShard): Lease {
  const checkpoint = { kind: "trim-horizon" } as const;
  const stamp = { streamName: "", streamCreatedMs: undefined };
  return asCreated({ ...child, checkpoint, startTimeMs: undefined }, stamp);
}

/** What is finished has nothing left, and a LATEST that nobody has opened yet is nowhere. */
function isReadable({ checkpoint, startTimeMs }: Lease): boolean {
  return checkpoint.kind !== "shard-end" && !(checkpoint.kind === "latest" && startTimeMs === undefined);
}

class PeekingReader {
  readonly lease: Lease;
  readonly #stream: KinesisStream;
  readonly #context: ToolContext;
  readonly #cursor: ShardCursor;
  readonly #deaggregator: Deaggregator | undefined;
  #iterator: string | undefined;
  /** Nothing more is there now. */
  ended = false;
  /** What continues the shard, once it was read to its end. */
  children: readonly ChildShard[] = [];

  constructor(stream: KinesisStream, lease: Lease, context: ToolContext, options: PeekOptions) {
    const { aggregates, initialPosition } = options;
    this.lease = lease;
    this.#stream = stream;
    this.#context = context;
    this.#cursor = new ShardCursor(lease, initialPosition);
    const range = aggregates.kind === "split" && aggregates.filterByHashKey ? lease.hashKeyRange : undefined;
    const meter = { aggregateFlawed: () => undefined };
    this.#deaggregator =
      aggregates.kind === "keep"
        ? undefined
        : new Deaggregator(lease.shardId, context.logger, { range, meter });
  }

  /** The records of one answer, of which the service sends `limit` at most, and aggregates may hold more. */
  async next(limit: number): Promise<readonly PeekedRecord[]> {
    const { clock, signal } = this.#context;
    const { shardId } = this.lease;
    const page = await retryBriefly({ clock, forMs: retryMs, signal }, async () => {
      this.#iterator ??= await this.#stream.openIterator(shardId, this.#cursor.position, signal);
      return await this.#stream.getRecords(shardId, this.#iterator, Math.min(limit, 10_000), signal);
    });
    this.#iterator = page.next;
    this.children = page.next === undefined ? page.children : [];
    this.ended = page.next === undefined || (page.records.length === 0 && page.millisBehindLatest === 0);
    return page.records.flatMap((raw) => this.#unpack(raw, page.millisBehindLatest));
  }

  #unpack(raw: RawRecord, behindMs: number): readonly PeekedRecord[] {
    const parts = this.#deaggregator?.userRecords(raw) ?? [undefined];
    const sequenceNumber = raw.SequenceNumber ?? "";
    const fresh = parts.filter((_, index) => this.#cursor.isNew(sequenceNumber, index));
    this.#cursor.accept(sequenceNumber);
    return fresh.map((part) => new PeekedRecord(raw, this.lease.shardId, behindMs, part));
  }
}
