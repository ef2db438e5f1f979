import { kcl3Tables } from "../lease/kcl3-state.ts";

/** A policy document of AWS IAM. */
export interface IamPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly IamStatement[];
}

interface IamStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface PolicySubject {
  readonly region: string;
  /** The first part of the region's ARNs. */
  readonly partition: string;
  readonly streamName: string;
  readonly tableName: string;
  /** Of the fan-out consumer; absent: the stream is polled. */
  readonly consumerName: string | undefined;
  /** Of CloudWatch; absent: no metrics are sent. */
  readonly metricsNamespace: string | undefined;
  /** As AWS told them; what it did not tell is built from the region and the names, with any account. */
  readonly streamArn: string | undefined;
  readonly tableArn: string | undefined;
}

const pollingActions = ["DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords"] as const;
const fanOutStreamActions = ["RegisterStreamConsumer", "DescribeStreamConsumer"] as const;
const fanOutConsumerActions = ["DescribeStreamConsumer", "SubscribeToShard"] as const;
const tableActions = [
  "CreateTable",
  "DescribeTable",
  "Scan",
  "GetItem",
  "PutItem",
  "UpdateItem",
  "DeleteItem",
] as const;

/** What a worker and the tools call, and nothing else. A transaction of puts needs the permission for a put, and KCL 3's tables are read. */
export function iamPolicy(subject: PolicySubject): IamPolicy {
  const { streamName, tableName, consumerName, metricsNamespace } = subject;
  const account = accountOf(subject.streamArn) ?? accountOf(subject.tableArn) ?? "*";
  const arn = (service: string, name: string) =>
    `arn:${subject.partition}:${service}:${subject.region}:${account}:${name}`;
  const streamArn = subject.streamArn ?? arn("kinesis", `stream/${streamName}`);
  const tableArn = subject.tableArn ?? arn("dynamodb", `table/${tableName}`);
  const fanOut = consumerName === undefined ? [] : fanOutStreamActions;
  return {
    Version: "2012-10-17",
    Statement: [
      allow("Stream", "kinesis", [...pollingActions, ...fanOut], streamArn),
      ...(consumerName === undefined
        ? []
        : [
            // AWS appends the time of its registration to a consumer's name.
            allow("FanOut", "kinesis", fanOutConsumerActions, `${streamArn}/consumer/${consumerName}:*`),
          ]),
      allow("LeaseTable", "dynamodb", tableActions, tableArn),
      allow("Kcl3Coordinator", "dynamodb", ["GetItem"], kcl3Tables(tableArn).coordinator),
      allow("Kcl3Workers", "dynamodb", ["Scan"], kcl3Tables(tableArn).workers),
      ...(metricsNamespace === undefined ? [] : [allowMetrics(metricsNamespace)]),
    ],
  };
}

function allow(sid: string, service: string, operations: readonly string[], resource: string): IamStatement {
  const actions = operations.map((operation) => `${service}:${operation}`);
  return { Sid: sid, Effect: "Allow", Action: actions, Resource: resource };
}

/** Metrics have no ARN: their namespace is what they are told apart by. */
function allowMetrics(namespace: string): IamStatement {
  const condition = { StringEquals: { "cloudwatch:namespace": namespace } };
  return { ...allow("Metrics", "cloudwatch", ["PutMetricData"], "*"), Condition: condition };
}

function accountOf(arn: string | undefined): string | undefined {
  const account = arn?.split(":")[4];
  return account === "" ? undefined : account;
}
