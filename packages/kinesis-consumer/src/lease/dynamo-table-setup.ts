import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { Backoff, type Clock, type Logger } from "@pulsar-ts-io/core";
import type { DynamoService } from "../aws-clients.ts";
import { LeaseTableNameError, LeaseTableNotReadyError, LeaseTableSchemaError } from "../errors.ts";
import { attribute } from "./lease-item.ts";

/** KCL asks every 10 s, for 10 min. */
const firstPollMs = 250;
const longestPollMs = 2_000;
const maxWaitMs = 120_000;

export interface DynamoTableSetupOptions {
  readonly tableName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Sends one request and translates its failure. */
  readonly call: <T>(operation: string, send: () => Promise<T>) => Promise<T>;
}

/** Finds the lease table, or creates it. Several workers may do so at once. */
export class DynamoTableSetup {
  readonly #dynamo: DynamoService;
  readonly #options: DynamoTableSetupOptions;

  constructor(dynamo: DynamoService, options: DynamoTableSetupOptions) {
    this.#dynamo = dynamo;
    this.#options = options;
  }

  /** Whether the table is there and can be used. */
  async ready(): Promise<boolean> {
    const { tableName } = this.#options;
    checkTableName(tableName);
    const table = await this.#describe();
    if (table === undefined) return false;
    checkTableSchema(table, tableName);
    return table.TableStatus === "ACTIVE" || table.TableStatus === "UPDATING";
  }

  /** Creates the table unless it exists, and waits until it can be used. */
  async ensure(): Promise<void> {
    const { tableName, clock, logger, signal } = this.#options;
    const pause = new Backoff({ initialMs: firstPollMs, maxMs: longestPollMs });
    const deadline = clock.monotonic() + maxWaitMs;
    checkTableName(tableName);
    if (await this.#create()) logger.info({ table: tableName }, "lease table created");
    while (!(await this.ready())) {
      if (clock.monotonic() > deadline) {
        throw new LeaseTableNotReadyError(
          `the lease table "${tableName}" cannot be used after ${maxWaitMs / 1_000} s`,
          { remedy: "look at the table in the DynamoDB console" },
        );
      }
      await clock.sleep(pause.next(), signal);
    }
  }

  async #describe(): Promise<TableDescription | undefined> {
    const { call, signal, tableName } = this.#options;
    const command = new DescribeTableCommand({ TableName: tableName });
    return await call("DescribeTable", async () => {
      try {
        return (await this.#dynamo.call(command, signal)).Table;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    });
  }

  /** @returns false when it exists, or someone else is creating it. */
  async #create(): Promise<boolean> {
    const { call, signal, tableName } = this.#options;
    const command = new CreateTableCommand({
      TableName: tableName,
      AttributeDefinitions: [{ AttributeName: attribute.key, AttributeType: "S" }],
      KeySchema: [{ AttributeName: attribute.key, KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    });
    return await call("CreateTable", async () => {
      try {
        await this.#dynamo.call(command, signal);
        return true;
      } catch (error) {
        if (error instanceof ResourceInUseException) return false;
        throw error;
      }
    });
  }
}

/** @throws LeaseTableNameError (`PIO_LEASE_TABLE_NAME`) when DynamoDB would refuse the name. */
export function checkTableName(tableName: string): void {
  if (/^[A-Za-z0-9_.-]{3,255}$/.test(tableName)) return;
  const suggestion = tableName.replaceAll(/[^A-Za-z0-9_.-]+/g, "-").slice(0, 255);
  throw new LeaseTableNameError(
    `the application name "${tableName}" cannot name a DynamoDB table: it needs 3 to 255 of the characters A-Z a-z 0-9 _ . -`,
    {
      remedy:
        suggestion.length >= 3
          ? `use an application name such as "${suggestion}"`
          : "choose a longer application name",
    },
  );
}

/** @throws LeaseTableSchemaError (`PIO_LEASE_TABLE_SCHEMA`) when the table is of another kind. */
export function checkTableSchema(table: TableDescription, tableName: string): void {
  const keys = (table.KeySchema ?? []).map((key) => `${key.AttributeName} (${key.KeyType})`);
  const type = table.AttributeDefinitions?.find((one) => one.AttributeName === attribute.key)?.AttributeType;
  if (keys.length === 1 && keys[0] === `${attribute.key} (HASH)` && type === "S") return;
  throw new LeaseTableSchemaError(
    `the table "${tableName}" is no lease table: its key is ${keys.join(", ")} and not the text ${attribute.key}`,
    { remedy: "choose another application name, or remove that table if nobody needs it" },
  );
}
