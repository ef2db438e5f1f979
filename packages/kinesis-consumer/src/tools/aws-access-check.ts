import {
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import type { ToolContext } from "@pulsar-ts-io/core";
import type { AwsClients, DynamoService, KinesisService } from "../aws-clients.ts";
import { partitionName } from "../aws-partition.ts";
import { checkTableName, checkTableSchema } from "../lease/dynamo-table-setup.ts";
import { kcl3Tables } from "../lease/kcl3-state.ts";
import { attribute } from "../lease/lease-item.ts";
import type { MetricsLevel } from "../metrics/metric-sink.ts";
import { AccessTrials, type Attempt, notTried } from "./access-trials.ts";
import { type IamPolicy, iamPolicy } from "./iam-policy.ts";

export interface AccessCheckOptions {
  readonly streamName: string;
  /** Names the lease table. */
  readonly applicationName: string;
  readonly retrieval:
    | { readonly kind: "polling" }
    | { readonly kind: "fan-out"; readonly consumerName: string };
  readonly metricsLevel: MetricsLevel;
}

/** The key of no lease. */
const probeKey = { [attribute.key]: { S: "pulsar-ts-io check" } };
/** No row is both there and not there: the write is allowed or denied, and never done. */
const impossible = {
  ConditionExpression: "attribute_exists(#key) AND attribute_not_exists(#key)",
  ExpressionAttributeNames: { "#key": attribute.key },
};

/** Tries each AWS call that a worker needs, in a form that leaves nothing behind. */
export class AwsAccessCheck {
  readonly #kinesis: KinesisService;
  readonly #dynamo: DynamoService;
  readonly #context: ToolContext;
  readonly #options: AccessCheckOptions;
  readonly #trials: AccessTrials;
  #streamArn: string | undefined;
  #tableArn: string | undefined;

  constructor(clients: AwsClients, context: ToolContext, options: AccessCheckOptions) {
    this.#kinesis = clients.kinesis;
    this.#dynamo = clients.dynamo;
    this.#context = context;
    this.#options = options;
    this.#trials = new AccessTrials(clients, context, options);
  }

  /** One attempt for each permission, named as IAM names it. */
  async *run(): AsyncGenerator<Attempt, void, undefined> {
    yield* this.#tryStream();
    if (this.#options.retrieval.kind === "fan-out")
      yield* this.#tryFanOut(this.#options.retrieval.consumerName);
    yield* this.#tryTable();
    yield* this.#tryKcl3();
    if (this.#options.metricsLevel !== "NONE") {
      const detail =
        "it would leave a metric behind; without it, the source runs and CloudWatch has no metrics";
      yield notTried("cloudwatch:PutMetricData", detail);
    }
  }

  /** Everything to be granted, with the resources' names as far as {@link run} has learned them. */
  async policy(): Promise<IamPolicy> {
    const { streamName, applicationName, retrieval, metricsLevel } = this.#options;
    const region = await this.#kinesis.region;
    return iamPolicy({
      region,
      partition: partitionName(region),
      streamName,
      tableName: applicationName,
      consumerName: retrieval.kind === "fan-out" ? retrieval.consumerName : undefined,
      metricsNamespace: metricsLevel === "NONE" ? undefined : applicationName,
      streamArn: this.#streamArn,
      tableArn: this.#tableArn,
    });
  }

  async *#tryStream(): AsyncGenerator<Attempt, void, undefined> {
    const stream = { StreamName: this.#options.streamName };
    const { signal } = this.#context;
    const polls = this.#options.retrieval.kind === "polling";
    const summary = await this.#trials.try({
      service: "Kinesis",
      operation: "DescribeStreamSummary",
      send: () => this.#kinesis.call(new DescribeStreamSummaryCommand(stream), signal),
      lack: polls
        ? "without it, it may go unnoticed that the stream was deleted and created anew while nobody read it"
        : undefined,
    });
    yield summary.attempt;
    this.#streamArn = summary.answer?.StreamDescriptionSummary?.StreamARN;
    const list = await this.#trials.try({
      service: "Kinesis",
      operation: "ListShards",
      send: () => this.#kinesis.call(new ListShardsCommand({ ...stream, MaxResults: 1 }), signal),
    });
    yield list.attempt;
    const ShardId = list.answer?.Shards?.[0]?.ShardId;
    if (ShardId === undefined) {
      yield notTried("kinesis:GetShardIterator", "no shard is known");
      yield notTried("kinesis:GetRecords", "no shard is known");
      return;
    }
    const opening = new GetShardIteratorCommand({ ...stream, ShardId, ShardIteratorType: "TRIM_HORIZON" });
    const iterator = await this.#trials.try({
      service: "Kinesis",
      operation: "GetShardIterator",
      send: () => this.#kinesis.call(opening, signal),
    });
    yield iterator.attempt;
    const ShardIterator = iterator.answer?.ShardIterator;
    if (ShardIterator === undefined) {
      yield notTried("kinesis:GetRecords", "there is no iterator");
      return;
    }
    const reading = new GetRecordsCommand({ ShardIterator, Limit: 1 });
    const records = await this.#trials.try({
      service: "Kinesis",
      operation: "GetRecords",
      send: () => this.#kinesis.call(reading, signal),
    });
    yield records.attempt;
  }

  async *#tryFanOut(ConsumerName: string): AsyncGenerator<Attempt, void, undefined> {
    const StreamARN = this.#streamArn;
    if (StreamARN === undefined) {
      yield notTried("kinesis:DescribeStreamConsumer", "the ARN of the stream is not known");
    } else {
      const command = new DescribeStreamConsumerCommand({ StreamARN, ConsumerName });
      const consumer = await this.#trials.try({
        service: "Kinesis",
        operation: "DescribeStreamConsumer",
        send: () => this.#kinesis.call(command, this.#context.signal),
        harmless: { ResourceNotFoundException: `no consumer "${ConsumerName}" is registered yet` },
      });
      yield consumer.attempt;
    }
    yield notTried("kinesis:RegisterStreamConsumer", "it would leave a consumer behind, which costs money");
    yield notTried("kinesis:SubscribeToShard", "it would end the subscription of a running worker");
  }

  async *#tryTable(): AsyncGenerator<Attempt, void, undefined> {
    const TableName = this.#options.applicationName;
    const { signal } = this.#context;
    const described = await this.#trials.try({
      service: "DynamoDB",
      operation: "DescribeTable",
      send: async () => {
        checkTableName(TableName);
        const { Table } = await this.#dynamo.call(new DescribeTableCommand({ TableName }), signal);
        if (Table !== undefined) checkTableSchema(Table, TableName);
        return Table;
      },
      harmless: { ResourceNotFoundException: "there is no table yet" },
    });
    yield described.attempt;
    this.#tableArn = described.answer?.TableArn;
    yield notTried(
      "dynamodb:CreateTable",
      described.answer === undefined ? "it would leave a table behind" : "the table is there already",
    );
    const row = { TableName, Key: probeKey };
    const trials: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["Scan", () => this.#dynamo.call(new ScanCommand({ TableName, Limit: 1 }), signal)],
      ["GetItem", () => this.#dynamo.call(new GetItemCommand(row), signal)],
      [
        "PutItem",
        () => this.#dynamo.call(new PutItemCommand({ TableName, Item: probeKey, ...impossible }), signal),
      ],
      ["UpdateItem", () => this.#dynamo.call(new UpdateItemCommand({ ...row, ...impossible }), signal)],
      ["DeleteItem", () => this.#dynamo.call(new DeleteItemCommand({ ...row, ...impossible }), signal)],
    ];
    for (const [operation, send] of trials) {
      const trial = { service: "DynamoDB", operation, send, harmless: tableAnswers } as const;
      yield (await this.#trials.try(trial)).attempt;
    }
  }

  /** Two tables that are only read, in the calls that tell whether workers of KCL 3 are there. */
  async *#tryKcl3(): AsyncGenerator<Attempt, void, undefined> {
    const { coordinator, workers } = kcl3Tables(this.#options.applicationName);
    const { signal } = this.#context;
    const leading = new GetItemCommand({ TableName: coordinator, Key: { key: { S: "Leader" } } });
    const living = new ScanCommand({ TableName: workers, Limit: 1 });
    const trials = [
      { operation: "GetItem", table: coordinator, send: () => this.#dynamo.call(leading, signal) },
      { operation: "Scan", table: workers, send: () => this.#dynamo.call(living, signal) },
    ];
    for (const trial of trials) {
      const harmless = {
        ResourceNotFoundException: `allowed; there is no table "${trial.table}", nor need there be: Java's KCL 3 makes it`,
      };
      const shared = { service: "DynamoDB", harmless, lack: kcl3Lack } as const;
      const { attempt } = await this.#trials.try<unknown>({ ...shared, ...trial });
      yield { ...attempt, detail: attempt.detail ?? `allowed on the table "${trial.table}"` };
    }
  }
}

const tableAnswers = {
  ConditionalCheckFailedException: "allowed, and nothing was written",
  ResourceNotFoundException: "allowed; there is no table yet",
};

const kcl3Lack =
  "without it, Java workers of KCL 3 go unnoticed, and their leases are taken as those of KCL 2 are";
