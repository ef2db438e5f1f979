import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { ConnectorError } from "@pulsar-ts-io/core";
import type { DynamoService } from "../aws-clients.ts";
import { type AwsFailure, readAwsFailure, translateAwsFailure } from "../aws-failure.ts";

/** Sends requests that concern one lease table, and says in our terms how they failed. */
export class DynamoCalls {
  readonly #dynamo: DynamoService;
  readonly #tableName: string;

  constructor(dynamo: DynamoService, tableName: string) {
    this.#dynamo = dynamo;
    this.#tableName = tableName;
  }

  /** @returns false when the condition did not hold. */
  async unlessRefused(
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
      throw await this.translate(readAwsFailure(error), operation);
    }
  }

  /** @throws the failure, translated; the reason of `signal` once that has aborted. */
  async call<T>(operation: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      throw await this.translate(readAwsFailure(error), operation);
    }
  }

  /** The failure in our terms, with where it came from. */
  async translate(failure: AwsFailure, operation: string): Promise<ConnectorError> {
    const where = await this.#dynamo.describe(failure);
    const call = {
      service: "DynamoDB",
      operation,
      resource: `lease table "${this.#tableName}"`,
      ...where,
    } as const;
    return translateAwsFailure(failure, call);
  }
}
