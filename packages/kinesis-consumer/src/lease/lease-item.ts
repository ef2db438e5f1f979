import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { formatCheckpoint, parseCheckpoint, subSequenceOf } from "../checkpoint.ts";
import { LeaseRowError } from "../errors.ts";
import { type HashKeyRange, type ShardId, shardId } from "../shard/shard.ts";
import type { Lease, NewLease, StreamStamp } from "./lease.ts";
import type { Numbering } from "./numbering.ts";

/** A row as DynamoDB's client gives and takes it. */
export type LeaseItem = Record<string, AttributeValue>;

/** KCL's names, case included, and ours with their `x_`. @see DynamoDBLeaseSerializer in KCL */
export const attribute = {
  key: "leaseKey",
  owner: "leaseOwner",
  counter: "leaseCounter",
  ownerSwitches: "ownerSwitchesSinceCheckpoint",
  checkpoint: "checkpoint",
  subSequence: "checkpointSubSequenceNumber",
  /** The name is singular, the value is a set. */
  parents: "parentShardId",
  children: "childShardIds",
  rangeStart: "startingHashKey",
  rangeEnd: "endingHashKey",
  pending: "pendingCheckpoint",
  pendingSubSequence: "pendingCheckpointSubSequenceNumber",
  pendingState: "pendingCheckpointState",
  checkpointOwner: "checkpointOwner",
  entityType: "entityType",
  /** KCL 3: what was lately read of the shard. */
  throughput: "throughputKBps",
  startTime: "x_startTs",
  consumerWorker: "x_worker",
  ownedSince: "x_since",
  streamName: "x_streamName",
  streamCreated: "x_streamCreated",
  epoch: "x_epoch",
  ordinal: "x_ord",
  ordinalSequence: "x_ordSeq",
  ordinalSubSequence: "x_ordSub",
  ordinalVersion: "x_ordVer",
  anchor: "x_anchorSeq",
} as const;

/** What a lease's `entityType` says; of the other kinds none is read here. */
const leaseType = "LEASE";

/**
 * The lease in `item`, or `undefined` when the row is none: KCL 3.5 keeps rows of other kinds in the same table.
 *
 * @throws LeaseRowError (`PIO_LEASE_ROW`) when a lease says something no KCL writes.
 */
export function readLease(item: LeaseItem): Lease | undefined {
  const kind = item[attribute.entityType]?.S;
  if (kind !== undefined && kind !== leaseType) return undefined;
  const key = item[attribute.key]?.S;
  const checkpoint = item[attribute.checkpoint]?.S;
  // A 3.0-3.4 table has rows without `entityType` that are no leases; none of them has a checkpoint.
  if (key === undefined || checkpoint === undefined) return undefined;
  return {
    shardId: shardId(key),
    owner: item[attribute.owner]?.S,
    counter: integer(item, attribute.counter),
    checkpoint: parseCheckpoint(checkpoint, optionalInteger(item, attribute.subSequence) ?? 0),
    parentShardIds: ids(item, attribute.parents),
    childShardIds: ids(item, attribute.children),
    hashKeyRange: range(item),
    checkpointOwner: item[attribute.checkpointOwner]?.S,
    startTimeMs: optionalInteger(item, attribute.startTime),
    consumerWorker: item[attribute.consumerWorker]?.S,
    ownedSinceMs: optionalInteger(item, attribute.ownedSince),
    streamName: item[attribute.streamName]?.S,
    streamCreatedMs: optionalInteger(item, attribute.streamCreated),
    numbering: readNumbering(item),
  };
}

/**
 * The row of a lease nobody owns: KCL's attributes and ours. Never an empty set or text, which DynamoDB refuses.
 *
 * @param options.typed the rows of the table say what they are, as from KCL 3.5 on; before, no row does.
 */
export function newLeaseItem(
  lease: NewLease,
  stamp: StreamStamp,
  options: { readonly typed: boolean },
): LeaseItem {
  return {
    [attribute.key]: { S: lease.shardId },
    ...(options.typed ? { [attribute.entityType]: { S: leaseType } } : {}),
    [attribute.counter]: { N: "0" },
    [attribute.ownerSwitches]: { N: "0" },
    [attribute.checkpoint]: { S: formatCheckpoint(lease.checkpoint) },
    [attribute.subSequence]: { N: subSequenceOf(lease.checkpoint).toString() },
    [attribute.rangeStart]: { S: lease.hashKeyRange.start.toString() },
    [attribute.rangeEnd]: { S: lease.hashKeyRange.end.toString() },
    [attribute.streamName]: { S: stamp.streamName },
    ...(lease.parentShardIds.length === 0 ? {} : { [attribute.parents]: { SS: [...lease.parentShardIds] } }),
    ...(lease.startTimeMs === undefined ? {} : { [attribute.startTime]: number(lease.startTimeMs) }),
    ...(stamp.streamCreatedMs === undefined
      ? {}
      : { [attribute.streamCreated]: number(stamp.streamCreatedMs) }),
  };
}

/** A number as DynamoDB takes it. */
export function number(value: number): AttributeValue.NMember {
  return { N: value.toString() };
}

/** What is not whole, or nothing we write, is none: the records are numbered anew. */
function readNumbering(item: LeaseItem): Numbering | undefined {
  const epoch = item[attribute.epoch]?.S;
  const version = item[attribute.ordinalVersion]?.S;
  const sequenceNumber = item[attribute.ordinalSequence]?.S;
  const subSequenceNumber = count(item, attribute.ordinalSubSequence);
  const base = readBase(item);
  if (epoch === undefined || version === undefined || base === undefined) return undefined;
  if (sequenceNumber === undefined || subSequenceNumber === undefined) return undefined;
  return { epoch, version, belongsTo: { sequenceNumber, subSequenceNumber }, base };
}

function readBase(item: LeaseItem): Numbering["base"] | undefined {
  const ordinal = count(item, attribute.ordinal);
  if (ordinal !== undefined) return { kind: "ordinal", ordinal };
  const sequenceNumber = item[attribute.anchor]?.S;
  return sequenceNumber === undefined ? undefined : { kind: "anchor", sequenceNumber };
}

function count(item: LeaseItem, name: string): number | undefined {
  const value = Number(item[name]?.N);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function ids(item: LeaseItem, name: string): readonly ShardId[] {
  return (item[name]?.SS ?? []).map(shardId);
}

function range(item: LeaseItem): HashKeyRange | undefined {
  const start = item[attribute.rangeStart]?.S;
  const end = item[attribute.rangeEnd]?.S;
  if (start === undefined || end === undefined || !/^\d+$/.test(start) || !/^\d+$/.test(end))
    return undefined;
  return { start: BigInt(start), end: BigInt(end) };
}

function optionalInteger(item: LeaseItem, name: string): number | undefined {
  return item[name]?.N === undefined ? undefined : integer(item, name);
}

function integer(item: LeaseItem, name: string): number {
  const value = Number(item[name]?.N);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new LeaseRowError(`the lease row "${item[attribute.key]?.S}" has no usable ${name}`, {
      remedy: "correct or delete that row of the lease table",
    });
  }
  return value;
}
