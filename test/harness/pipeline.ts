import { Cli } from "./cli.ts";

export interface PipelineOptions {
  readonly kinesisEndpoint: string;
  readonly dynamoEndpoint: string;
  /** Absent: no metrics. */
  readonly cloudwatchEndpoint?: string;
  readonly pulsarServiceUrl: string;
  readonly streamName: string;
  /** Also the lease table. */
  readonly applicationName: string;
  readonly topic: string;
  /** Further properties of the connector, or others than the usual ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
}

/** Starts the real CLI on one stream and one topic, as its users do. */
export function runPipeline(options: PipelineOptions): Cli {
  return new Cli(
    [
      "run",
      ...["--source-type", "kinesis"],
      ...["--name", options.applicationName],
      ...["--broker-service-url", options.pulsarServiceUrl],
      ...["--destination-topic-name", options.topic],
      ...["--source-config", JSON.stringify(sourceConfig(options))],
      ...(options.args ?? []),
    ],
    {
      ...(options.env === undefined ? {} : { env: options.env }),
      nodeArgs: options.nodeArgs ?? [],
    },
  );
}

/** The connector's configuration: polling from the oldest record, every property of a record told. */
export function sourceConfig(
  options: Omit<PipelineOptions, "topic" | "pulsarServiceUrl">,
): Record<string, unknown> {
  return {
    awsRegion: "us-east-1",
    awsEndpoint: options.kinesisEndpoint,
    dynamoEndpoint: options.dynamoEndpoint,
    cloudwatchEndpoint: options.cloudwatchEndpoint ?? "",
    awsKinesisStreamName: options.streamName,
    awsCredentialPluginName: "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
    applicationName: options.applicationName,
    initialPositionInStream: "TRIM_HORIZON",
    useEnhancedFanOut: false,
    kinesisRecordProperties: "kinesis.sequence.number,kinesis.shard.id,kinesis.partition.key",
    ...options.config,
  };
}
