import { AccountLedger } from "./account-ledger.ts";
import type { Caller } from "./caller.ts";
import { putMetricData } from "./cloudwatch-operations.ts";
import {
  deregisterStreamConsumer,
  describeStreamConsumer,
  listStreamConsumers,
  registerStreamConsumer,
} from "./consumer-operations.ts";
import { type CallTarget, KinesisFaults } from "./faults.ts";
import type { KinesisModel } from "./kinesis-model.ts";
import { OperationContext } from "./operation-context.ts";
import { putRecord, putRecords } from "./put-operations.ts";
import { getRecords, getShardIterator } from "./read-operations.ts";
import { RequestFields } from "./request-fields.ts";
import { ServiceError } from "./service-error.ts";
import { decodeIterator } from "./shard-iterator.ts";
import { ShardLimits } from "./shard-limits.ts";
import {
  createStream,
  decreaseRetention,
  deleteStream,
  describeStream,
  describeStreamSummary,
  increaseRetention,
  listShards,
  listStreams,
  mergeShards,
  splitShard,
} from "./stream-operations.ts";
import { assumeRole, getCallerIdentity } from "./sts-operations.ts";
import { subscribeToShard } from "./subscribe-operation.ts";
import { Subscription } from "./subscription.ts";
import type { RecordForm } from "./wire-format.ts";

/** Answers an object to be sent as JSON, JSON in pieces, or a subscription. */
type Operation = (context: OperationContext) => unknown;

const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    AssumeRole: assumeRole,
    CreateStream: createStream,
    DecreaseStreamRetentionPeriod: decreaseRetention,
    DeleteStream: deleteStream,
    DeregisterStreamConsumer: deregisterStreamConsumer,
    DescribeStream: describeStream,
    DescribeStreamConsumer: describeStreamConsumer,
    DescribeStreamSummary: describeStreamSummary,
    GetCallerIdentity: getCallerIdentity,
    GetRecords: getRecords,
    GetShardIterator: getShardIterator,
    IncreaseStreamRetentionPeriod: increaseRetention,
    ListShards: listShards,
    ListStreamConsumers: listStreamConsumers,
    ListStreams: listStreams,
    MergeShards: mergeShards,
    PutMetricData: putMetricData,
    PutRecord: putRecord,
    PutRecords: putRecords,
    RegisterStreamConsumer: registerStreamConsumer,
    SplitShard: splitShard,
    SubscribeToShard: subscribeToShard,
  }),
);

/** A call that was made. */
export interface RememberedCall extends CallTarget {
  /** What was asked; `undefined` for what was no JSON, and for puts, which are large. */
  readonly body: unknown;
  /** Who asked, by the header of that name. */
  readonly userAgent: string | undefined;
  readonly atMs: number;
}

const rememberedCalls = 10_000;

/** The services behind any wire: one call in, one answer out, no I/O and no waiting. */
export class KinesisService {
  readonly model: KinesisModel;
  readonly faults: KinesisFaults;
  readonly limits: ShardLimits = new ShardLimits();
  readonly ledger: AccountLedger = new AccountLedger();
  readonly #calls = new Map<string, number>();
  readonly #remembered: RememberedCall[] = [];

  constructor(model: KinesisModel, faults: KinesisFaults = new KinesisFaults()) {
    this.model = model;
    this.faults = faults;
  }

  /** Calls that arrived so far, those that a fault hit included: of one operation, or of all. */
  calls(operation?: string): number {
    if (operation !== undefined) return this.#calls.get(operation) ?? 0;
    return [...this.#calls.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The counts by operation. */
  callCounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#calls);
  }

  /** The last calls, oldest first: of one operation, or of all; at most ten thousand are kept. */
  lastCalls(operation?: string): readonly RememberedCall[] {
    return this.#remembered.filter((call) => operation === undefined || call.operation === operation);
  }

  remember(call: RememberedCall): void {
    this.#remembered.push(call.operation.startsWith("Put") ? { ...call, body: undefined } : call);
    // Half at a time: to shift one off for each call would move them all each time.
    if (this.#remembered.length > rememberedCalls * 2) this.#remembered.splice(0, rememberedCalls);
  }

  /** Counts a call. */
  arrived(operation: string): void {
    this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + 1);
  }

  /**
   * The answer as JSON in pieces, or the subscription that was granted.
   *
   * @param records how GetRecords answers.
   * @throws ServiceError
   */
  perform(
    operation: string,
    body: unknown,
    caller: Caller,
    records: RecordForm,
  ): readonly Uint8Array[] | Subscription {
    const perform = operations.get(operation);
    if (perform === undefined) {
      throw new ServiceError("UnknownOperationException", `the double does not know ${operation}`);
    }
    const context = new OperationContext(new RequestFields(body), { caller, records }, this);
    const answer = perform(context);
    return isPieces(answer) || answer instanceof Subscription
      ? answer
      : [Buffer.from(JSON.stringify(answer))];
  }
}

function isPieces(answer: unknown): answer is readonly Uint8Array[] {
  return Array.isArray(answer);
}

/** What a call is about, as far as its body tells; never throws. */
export function targetOf(operation: string, body: unknown): CallTarget {
  const members =
    typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>) : {}; // an object
  const text = (name: string) => (typeof members[name] === "string" ? members[name] : undefined);
  const iterator = text("ShardIterator");
  if (iterator !== undefined) {
    try {
      const { streamArn, shardId } = decodeIterator(iterator);
      return { operation, streamName: nameIn(streamArn), shardId };
    } catch {
      return { operation, streamName: undefined, shardId: undefined }; // it will be refused as invalid
    }
  }
  const arn = text("StreamARN") ?? text("ConsumerARN");
  return { operation, streamName: text("StreamName") ?? nameIn(arn), shardId: text("ShardId") };
}

/** `arn:aws:kinesis:us-east-1:000000000000:stream/orders`, for a consumer `…/consumer/name:1767225600` after it. */
function nameIn(arn: string | undefined): string | undefined {
  return arn?.split("/")[1];
}
