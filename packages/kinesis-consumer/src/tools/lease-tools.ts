import type { PartitionStatus, StartPosition, ToolContext } from "@pulsar-ts-io/core";
import type { AwsClients } from "../aws-clients.ts";
import { DynamoLeaseTable } from "../lease/dynamo-lease-table.ts";
import { AwsKinesisStream } from "../shard/aws-kinesis-stream.ts";
import type { ConsumerPorts } from "../stream-consumer.ts";
import { inspectLeases } from "./inspect-leases.ts";
import { type PeekedRecord, type PeekOptions, peekRecords } from "./peek-records.ts";
import { resetLeases } from "./reset-leases.ts";

export interface LeaseToolOptions {
  readonly streamName: string;
  /** Names the lease table. */
  readonly applicationName: string;
  /** Where a lease starts that has no position and no time of its own. */
  readonly initialPosition: StartPosition;
}

/** What an operator does with the leases of an application from outside: no worker of it, takes nothing. */
export class LeaseTools {
  readonly #ports: ConsumerPorts;
  readonly #context: ToolContext;
  readonly #options: LeaseToolOptions;

  /** @param clients left open: whoever made them destroys them. */
  constructor(clients: AwsClients, context: ToolContext, options: LeaseToolOptions) {
    const { clock, logger } = context;
    this.#ports = {
      stream: new AwsKinesisStream(clients.kinesis, options.streamName, clock),
      table: new DynamoLeaseTable(clients.dynamo, { tableName: options.applicationName, clock, logger }),
    };
    this.#context = context;
    this.#options = options;
  }

  /** @see inspectLeases */
  async inspect(): Promise<readonly PartitionStatus[]> {
    return await inspectLeases(this.#ports, this.#context, this.#options);
  }

  /** @see peekRecords */
  peek(options: Pick<PeekOptions, "aggregates" | "count">): AsyncIterable<PeekedRecord> {
    return peekRecords(this.#ports, this.#context, { ...this.#options, ...options });
  }

  /** @see resetLeases */
  async reset(to: StartPosition): Promise<void> {
    await resetLeases(this.#ports, this.#context, { ...this.#options, to });
  }
}
