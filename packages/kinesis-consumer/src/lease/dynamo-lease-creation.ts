import { PutItemCommand, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { Logger } from "@pulsar-ts-io/core";
import type { DynamoService } from "../aws-clients.ts";
import { readAwsFailure } from "../aws-failure.ts";
import type { ShardId } from "../shard/shard.ts";
import type { DynamoCalls } from "./dynamo-calls.ts";
import type { NewLease, StreamStamp } from "./lease.ts";
import { attribute, newLeaseItem } from "./lease-item.ts";

/** TransactWriteItems takes 100 items. */
const maxItemsAtOnce = 100;

/** What rows are to say besides their leases. */
interface RowKind {
  readonly stamp: StreamStamp;
  /** The rows of the table say what they are. */
  readonly typed: boolean;
}

/** Creates leases that do not exist, many at once where the store has transactions. */
export class DynamoLeaseCreation {
  readonly #dynamo: DynamoService;
  readonly #calls: DynamoCalls;
  readonly #tableName: string;
  readonly #logger: Logger;
  #transactions = true;

  constructor(
    dynamo: DynamoService,
    calls: DynamoCalls,
    options: { readonly tableName: string; readonly logger: Logger },
  ) {
    this.#dynamo = dynamo;
    this.#calls = calls;
    this.#tableName = options.tableName;
    this.#logger = options.logger;
  }

  /** @returns the ids of those that this call created. */
  async create(leases: readonly NewLease[], as: RowKind, signal: AbortSignal): Promise<readonly ShardId[]> {
    const created: ShardId[] = [];
    for (let from = 0; from < leases.length; from += maxItemsAtOnce) {
      const chunk = leases.slice(from, from + maxItemsAtOnce);
      if (chunk.length > 1 && this.#transactions && (await this.#createAtOnce(chunk, as, signal))) {
        created.push(...chunk.map((lease) => lease.shardId));
        continue;
      }
      for (const lease of chunk) {
        if (await this.#createOne(lease, as, signal)) created.push(lease.shardId);
      }
    }
    return created;
  }

  /** @returns false when one of the rows exists, or the store has no transactions: create them one by one. */
  async #createAtOnce(leases: readonly NewLease[], as: RowKind, signal: AbortSignal): Promise<boolean> {
    const command = new TransactWriteItemsCommand({
      TransactItems: leases.map((lease) => ({ Put: this.#put(lease, as) })),
    });
    try {
      await this.#dynamo.call(command, signal);
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
      throw await this.#calls.translate(failure, "TransactWriteItems");
    }
  }

  async #createOne(lease: NewLease, as: RowKind, signal: AbortSignal): Promise<boolean> {
    const command = new PutItemCommand(this.#put(lease, as));
    return await this.#calls.unlessRefused("PutItem", signal, () => this.#dynamo.call(command, signal));
  }

  #put(lease: NewLease, as: RowKind) {
    return {
      TableName: this.#tableName,
      Item: newLeaseItem(lease, as.stamp, as),
      ConditionExpression: "attribute_not_exists(#key)",
      ExpressionAttributeNames: { "#key": attribute.key },
    };
  }
}
