import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { type Clock, ConnectorError, type Logger } from "@pulsar-ts-io/core";
import type { DynamoService } from "../aws-clients.ts";
import { type AwsFailure, mayHaveLanded, readAwsFailure } from "../aws-failure.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";
import { DynamoCalls } from "./dynamo-calls.ts";
import { DynamoLeaseCreation } from "./dynamo-lease-creation.ts";
import { DynamoTableSetup } from "./dynamo-table-setup.ts";
import type { Lease, NewLease, StreamStamp } from "./lease.ts";
import { attribute, type LeaseItem, newLeaseItem, number, readLease } from "./lease-item.ts";
import type { LeaseChange, LeaseTable, TakeOptions, WriteOutcome } from "./lease-table.ts";
import {
  handOffRequest,
  ownerUpdate,
  requestWithdrawal,
  takeUpdate,
  type UpdateParts,
} from "./lease-update.ts";

export interface DynamoLeaseTableOptions {
  readonly tableName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The lease table in DynamoDB, attribute for attribute KCL's. */
export class DynamoLeaseTable implements LeaseTable {
  readonly #dynamo: DynamoService;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #calls: DynamoCalls;
  readonly #creation: DynamoLeaseCreation;
  /** Whether a row was seen that says what it is. */
  #typed = false;

  constructor(dynamo: DynamoService, options: DynamoLeaseTableOptions) {
    this.#dynamo = dynamo;
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#calls = new DynamoCalls(dynamo, options.tableName);
    this.#creation = new DynamoLeaseCreation(dynamo, this.#calls, options);
  }

  async ready(signal: AbortSignal): Promise<boolean> {
    return await this.#setup(signal).ready();
  }

  async ensure(signal: AbortSignal): Promise<void> {
    await this.#setup(signal).ensure();
  }

  async list(options: { readonly consistent: boolean }, signal: AbortSignal): Promise<readonly Lease[]> {
    const leases: Lease[] = [];
    let from: LeaseItem | undefined;
    do {
      const command = new ScanCommand({
        TableName: this.#tableName,
        ConsistentRead: options.consistent,
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      });
      const page = await this.#calls.call("Scan", signal, () => this.#dynamo.call(command, signal));
      for (const item of page.Items ?? []) {
        this.#typed ||= item[attribute.entityType] !== undefined;
        const lease = readLease(item);
        if (lease !== undefined) leases.push(lease);
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return leases;
  }

  async get(id: ShardId, signal: AbortSignal): Promise<Lease | undefined> {
    const command = new GetItemCommand({ ...this.#key(id), ConsistentRead: true });
    const answer = await this.#calls.call("GetItem", signal, () => this.#dynamo.call(command, signal));
    return answer.Item === undefined ? undefined : readLease(answer.Item);
  }

  async create(
    leases: readonly NewLease[],
    stamp: StreamStamp,
    signal: AbortSignal,
  ): Promise<readonly ShardId[]> {
    return await this.#creation.create(leases, { stamp, typed: this.#typed }, signal);
  }

  async take(lease: Lease, worker: string, options: TakeOptions, signal: AbortSignal): Promise<WriteOutcome> {
    return await this.#update(lease.shardId, takeUpdate(lease, worker, options), signal);
  }

  async requestHandOff(lease: Lease, worker: string, signal: AbortSignal): Promise<WriteOutcome> {
    return await this.#update(lease.shardId, handOffRequest(lease, worker), signal);
  }

  async withdrawRequest(id: ShardId, worker: string, signal: AbortSignal): Promise<WriteOutcome> {
    return await this.#update(id, requestWithdrawal(worker), signal);
  }

  async write(lease: Lease, change: LeaseChange, signal: AbortSignal): Promise<WriteOutcome> {
    return await this.#update(lease.shardId, ownerUpdate(lease, change), signal);
  }

  async setChildren(id: ShardId, children: readonly ShardId[], signal: AbortSignal): Promise<boolean> {
    const command = new UpdateItemCommand({
      ...this.#key(id),
      UpdateExpression: "SET #children = :children",
      ConditionExpression: "attribute_exists(#key)",
      ExpressionAttributeNames: { "#children": attribute.children, "#key": attribute.key },
      ExpressionAttributeValues: { ":children": { SS: [...children] } },
    });
    return await this.#calls.unlessRefused("UpdateItem", signal, () => this.#dynamo.call(command, signal));
  }

  async setHashKeyRange(id: ShardId, range: HashKeyRange, signal: AbortSignal): Promise<boolean> {
    const command = new UpdateItemCommand({
      ...this.#key(id),
      UpdateExpression: "SET #start = :start, #end = :end",
      ConditionExpression: "attribute_exists(#key)",
      ExpressionAttributeNames: {
        "#start": attribute.rangeStart,
        "#end": attribute.rangeEnd,
        "#key": attribute.key,
      },
      ExpressionAttributeValues: {
        ":start": { S: range.start.toString() },
        ":end": { S: range.end.toString() },
      },
    });
    return await this.#calls.unlessRefused("UpdateItem", signal, () => this.#dynamo.call(command, signal));
  }

  async deleteFinished(id: ShardId, worker: string, signal: AbortSignal): Promise<boolean> {
    const command = new DeleteItemCommand({
      ...this.#key(id),
      ConditionExpression: "#checkpoint = :end AND (attribute_not_exists(#owner) OR #owner = :me)",
      ExpressionAttributeNames: { "#checkpoint": attribute.checkpoint, "#owner": attribute.owner },
      ExpressionAttributeValues: { ":end": { S: "SHARD_END" }, ":me": { S: worker } },
    });
    return await this.#calls.unlessRefused("DeleteItem", signal, () => this.#dynamo.call(command, signal));
  }

  async replace(seen: Lease, to: NewLease, stamp: StreamStamp, signal: AbortSignal): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#tableName,
      Item: {
        ...newLeaseItem(to, stamp, { typed: this.#typed }),
        [attribute.counter]: number(seen.counter + 1),
      },
      ...unchanged(seen),
    });
    return await this.#calls.unlessRefused("PutItem", signal, () => this.#dynamo.call(command, signal));
  }

  async deleteUnchanged(seen: Lease, signal: AbortSignal): Promise<boolean> {
    const { ConditionExpression, ExpressionAttributeNames, ...values } = unchanged(seen);
    const command = new DeleteItemCommand({
      ...this.#key(seen.shardId),
      ConditionExpression: `attribute_not_exists(#key) OR (${ConditionExpression})`,
      ExpressionAttributeNames: { ...ExpressionAttributeNames, "#key": attribute.key },
      ...values,
    });
    return await this.#calls.unlessRefused("DeleteItem", signal, () => this.#dynamo.call(command, signal));
  }

  #setup(signal: AbortSignal): DynamoTableSetup {
    return new DynamoTableSetup(this.#dynamo, {
      tableName: this.#tableName,
      clock: this.#clock,
      logger: this.#logger,
      signal,
      call: (operation, send) => this.#calls.call(operation, signal, send),
    });
  }

  async #update(id: ShardId, parts: UpdateParts, signal: AbortSignal): Promise<WriteOutcome> {
    const command = new UpdateItemCommand({
      ...this.#key(id),
      ...parts,
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    let refusal: AwsFailure | undefined;
    try {
      const answer = await this.#dynamo.call(command, signal);
      if (answer.Attributes !== undefined) return written(readLease(answer.Attributes));
    } catch (error) {
      signal.throwIfAborted();
      const failure = readAwsFailure(error);
      if (!(error instanceof ConditionalCheckFailedException)) {
        const translated = await this.#calls.translate(failure, "UpdateItem");
        return { kind: "failed", error: translated, mayHaveLanded: mayHaveLanded(failure) };
      }
      if (error.Item !== undefined) return refused(readLease(error.Item), failure);
      refusal = failure;
    }
    // The row is gone, or the store does not return it with its answer.
    try {
      const current = await this.get(id, signal);
      return refusal === undefined ? written(current) : refused(current, refusal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectorError)) throw error;
      return { kind: "failed", error, mayHaveLanded: true };
    }
  }

  #key(id: ShardId) {
    return { TableName: this.#tableName, Key: { [attribute.key]: { S: id } } };
  }
}

/** The counter alone would not do: it starts anew in a row that was deleted and created for another stream of the name. */
function unchanged(seen: Lease) {
  const { counter, streamCreatedMs } = seen;
  const known = streamCreatedMs !== undefined;
  return {
    ConditionExpression: `#counter = :seen AND ${known ? "#created = :created" : "attribute_not_exists(#created)"}`,
    ExpressionAttributeNames: { "#counter": attribute.counter, "#created": attribute.streamCreated },
    ExpressionAttributeValues: {
      ":seen": number(counter),
      ...(known ? { ":created": number(streamCreatedMs) } : {}),
    },
  };
}

function written(lease: Lease | undefined): WriteOutcome {
  return lease === undefined
    ? { kind: "refused", current: undefined, retried: false }
    : { kind: "written", lease };
}

function refused(current: Lease | undefined, failure: AwsFailure): WriteOutcome {
  return { kind: "refused", current, retried: failure.attempts > 1 };
}
