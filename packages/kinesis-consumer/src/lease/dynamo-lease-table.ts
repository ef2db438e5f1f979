import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { type Clock, ConnectorError, type Logger } from "@pulsar-ts-io/core";
import { describeEndpoint } from "../aws-endpoint.ts";
import { type AwsFailure, mayHaveLanded, readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import type { HashKeyRange, ShardId } from "../shard/shard.ts";
import { DynamoTableSetup } from "./dynamo-table-setup.ts";
import type { Lease, NewLease, StreamStamp } from "./lease.ts";
import { attribute, type LeaseItem, newLeaseItem, number, readLease } from "./lease-item.ts";
import type { LeaseChange, LeaseTable, WriteOutcome } from "./lease-table.ts";
import {
  handOffRequest,
  ownerUpdate,
  requestWithdrawal,
  takeUpdate,
  type UpdateParts,
} from "./lease-update.ts";

/** TransactWriteItems takes 100 items. */
const maxItemsAtOnce = 100;

export interface DynamoLeaseTableOptions {
  readonly tableName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The lease table in DynamoDB, attribute for attribute KCL's. Holds no state but what the store turned out to lack, and its rows to have. */
export class DynamoLeaseTable implements LeaseTable {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #transactions = true;
  /** Whether a row was seen that says what it is. */
  #typed = false;

  constructor(client: DynamoDBClient, options: DynamoLeaseTableOptions) {
    this.#client = client;
    this.#tableName = options.tableName;
    this.#clock = options.clock;
    this.#logger = options.logger;
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
      const page = await this.#call("Scan", signal, () =>
        this.#client.send(command, { abortSignal: signal }),
      );
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
    const answer = await this.#call("GetItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
    return answer.Item === undefined ? undefined : readLease(answer.Item);
  }

  async create(
    leases: readonly NewLease[],
    stamp: StreamStamp,
    signal: AbortSignal,
  ): Promise<readonly ShardId[]> {
    const created: ShardId[] = [];
    for (let from = 0; from < leases.length; from += maxItemsAtOnce) {
      const chunk = leases.slice(from, from + maxItemsAtOnce);
      if (chunk.length > 1 && this.#transactions && (await this.#createAtOnce(chunk, stamp, signal))) {
        created.push(...chunk.map((lease) => lease.shardId));
        continue;
      }
      for (const lease of chunk) {
        if (await this.#createOne(lease, stamp, signal)) created.push(lease.shardId);
      }
    }
    return created;
  }

  async take(
    lease: Lease,
    worker: string,
    options: { readonly stamp: StreamStamp; readonly startTimeMs: number | undefined },
    signal: AbortSignal,
  ): Promise<WriteOutcome> {
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
    return await this.#unlessRefused("UpdateItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
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
    return await this.#unlessRefused("UpdateItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
  }

  async deleteFinished(id: ShardId, worker: string, signal: AbortSignal): Promise<boolean> {
    const command = new DeleteItemCommand({
      ...this.#key(id),
      ConditionExpression: "#checkpoint = :end AND (attribute_not_exists(#owner) OR #owner = :me)",
      ExpressionAttributeNames: { "#checkpoint": attribute.checkpoint, "#owner": attribute.owner },
      ExpressionAttributeValues: { ":end": { S: "SHARD_END" }, ":me": { S: worker } },
    });
    return await this.#unlessRefused("DeleteItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
  }

  async replace(seen: Lease, to: NewLease, stamp: StreamStamp, signal: AbortSignal): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#tableName,
      Item: { ...this.#newItem(to, stamp), [attribute.counter]: number(seen.counter + 1) },
      ...unchanged(seen),
    });
    return await this.#unlessRefused("PutItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
  }

  async deleteUnchanged(seen: Lease, signal: AbortSignal): Promise<boolean> {
    const { ConditionExpression, ExpressionAttributeNames, ...values } = unchanged(seen);
    const command = new DeleteItemCommand({
      ...this.#key(seen.shardId),
      ConditionExpression: `attribute_not_exists(#key) OR (${ConditionExpression})`,
      ExpressionAttributeNames: { ...ExpressionAttributeNames, "#key": attribute.key },
      ...values,
    });
    return await this.#unlessRefused("DeleteItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
  }

  #setup(signal: AbortSignal): DynamoTableSetup {
    return new DynamoTableSetup(this.#client, {
      tableName: this.#tableName,
      clock: this.#clock,
      logger: this.#logger,
      signal,
      call: (operation, send) => this.#call(operation, signal, send),
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
      const answer = await this.#client.send(command, { abortSignal: signal });
      if (answer.Attributes !== undefined) return written(readLease(answer.Attributes));
    } catch (error) {
      signal.throwIfAborted();
      const failure = readAwsFailure(error);
      if (!(error instanceof ConditionalCheckFailedException)) {
        const translated = await this.#translate(failure, "UpdateItem");
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

  /** @returns false when one of the rows exists, or the store has no transactions: create them one by one. */
  async #createAtOnce(
    leases: readonly NewLease[],
    stamp: StreamStamp,
    signal: AbortSignal,
  ): Promise<boolean> {
    const command = new TransactWriteItemsCommand({
      TransactItems: leases.map((lease) => ({ Put: this.#put(lease, stamp) })),
    });
    try {
      await this.#client.send(command, { abortSignal: signal });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const failure = readAwsFailure(error);
      if (failure.name === "TransactionCanceledException") return false;
      if (failure.name === "UnknownOperationException") {
        this.#transactions = false;
        this.#logger.info(
          { table: this.#tableName },
          "the lease store has no transactions, leases are created one by one",
        );
        return false;
      }
      throw await this.#translate(failure, "TransactWriteItems");
    }
  }

  async #createOne(lease: NewLease, stamp: StreamStamp, signal: AbortSignal): Promise<boolean> {
    const command = new PutItemCommand(this.#put(lease, stamp));
    return await this.#unlessRefused("PutItem", signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
  }

  #put(lease: NewLease, stamp: StreamStamp) {
    return {
      TableName: this.#tableName,
      Item: this.#newItem(lease, stamp),
      ConditionExpression: "attribute_not_exists(#key)",
      ExpressionAttributeNames: { "#key": attribute.key },
    };
  }

  #newItem(lease: NewLease, stamp: StreamStamp): LeaseItem {
    return newLeaseItem(lease, stamp, { typed: this.#typed });
  }

  #key(id: ShardId) {
    return { TableName: this.#tableName, Key: { [attribute.key]: { S: id } } };
  }

  /** @returns false when the condition did not hold. */
  async #unlessRefused(
    operation: string,
    signal: AbortSignal,
    send: () => Promise<unknown>,
  ): Promise<boolean> {
    try {
      await send();
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ConditionalCheckFailedException) return false;
      throw await this.#translate(readAwsFailure(error), operation);
    }
  }

  async #call<T>(operation: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#translate(readAwsFailure(error), operation);
    }
  }

  async #translate(failure: AwsFailure, operation: string) {
    const where = await describeEndpoint("DynamoDB", this.#client.config);
    const call = {
      service: "DynamoDB",
      operation,
      resource: `lease table "${this.#tableName}"`,
      ...where,
    } as const;
    return translateAwsFailure(failure, call);
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
