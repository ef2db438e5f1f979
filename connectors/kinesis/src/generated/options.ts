// Generated from connectors/kinesis/README.md by `pnpm schemas`. Edit the table there.

/** The config, validated and complete with its defaults. */
export interface KinesisSourceOptions {
  /** The Kinesis stream name. */
  readonly awsKinesisStreamName: string;
  /** The AWS region, such as us-west-1. Without it: AWS_REGION, AWS_DEFAULT_REGION, then the region in the name of an endpoint, then, beside an endpoint, us-east-1. */
  readonly awsRegion?: string | undefined;
  /** Where the credentials come from: see "Credentials". Empty: from accessKey and secretKey in awsCredentialPluginParam. */
  readonly awsCredentialPluginName?:
    | "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin"
    | "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin"
    | "org.apache.pulsar.io.kinesis.AwsDefaultProviderChainPlugin"
    | "org.apache.pulsar.io.kinesis.STSAssumeRoleProviderPlugin"
    | undefined;
  /** The JSON parameters of awsCredentialPluginName: see "Credentials". */
  readonly awsCredentialPluginParam?: string | undefined;
  /** The Kinesis endpoint. Without it: AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL, then AWS's own. */
  readonly awsEndpoint?: string | undefined;
  /** The DynamoDB endpoint. Without it: AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, then AWS's own. */
  readonly dynamoEndpoint?: string | undefined;
  /** The CloudWatch endpoint. Without it: AWS_ENDPOINT_URL_CLOUDWATCH, AWS_ENDPOINT_URL, then AWS's own. */
  readonly cloudwatchEndpoint?: string | undefined;
  /** The name of the Kinesis application, which is the name of the lease table in DynamoDB. The documents give the default as "Pulsar IO connector"; with its spaces that is no valid table name, and what Java's connector really uses is pulsar-kinesis. Give each stream its own. Default `pulsar-kinesis`. */
  readonly applicationName: string;
  /** Where a shard without a stored position starts. AT_TIMESTAMP: from the record at or after startAtTime. LATEST: after the most recent record. TRIM_HORIZON: from the oldest record available. Default `LATEST`. */
  readonly initialPositionInStream: "AT_TIMESTAMP" | "LATEST" | "TRIM_HORIZON";
  /** For AT_TIMESTAMP, the point in time: ISO 8601, UTC without an offset, or milliseconds since 1970. ISO 8601 in UTC. */
  readonly startAtTime?: string | undefined;
  /** The longest time between checkpoints of a shard, in milliseconds. Progress rides on each renewal of the lease, about every 3.3 s; a smaller value adds writes. Default `60000`. */
  readonly checkpointInterval: number;
  /** The longest pause after a throttled read or checkpoint, in milliseconds. Default `3000`. */
  readonly backoffTime: number;
  /** The number of attempts of a checkpoint before the failure is reported. It is tried again with the next renewal of the lease. Default `3`. */
  readonly numRetries: number;
  /** The largest number of records that are fetched and wait in the queue for Pulsar. Once it is reached, nothing is read from Kinesis until some have been handed over. Calls that are under way then may bring one more answer for each shard, of half as many records or 64, whichever is more, which waits beside the queue and counts in maxBufferedBytes. Default `1000`. */
  readonly receiveQueueSize: number;
  /** true: Kinesis enhanced fan-out, with a registered consumer of the name applicationName, which is used again and never deregistered; AWS bills it. false: polling. Default `true`. */
  readonly useEnhancedFanOut: boolean;
  /** The message properties to set, separated by commas. An empty text sets none. Default `kinesis.arrival.timestamp,kinesis.encryption.type,kinesis.partition.key,kinesis.sequence.number`. */
  readonly kinesisRecordProperties: string;
  /** The message key. PARTITION_KEY: the record's partition key. SHARD_ID: the shard id, which keeps a shard in one partition of the topic, and in order there. Default `PARTITION_KEY`. */
  readonly messageKeyMode: "PARTITION_KEY" | "SHARD_ID";
  /** Ours. Which of the KCL's metrics are sent to CloudWatch, under applicationName as their namespace. DETAILED, as the Java connector does: each call of each shard too, about a dozen metrics a shard, which AWS charges for one by one. SUMMARY: what dashboards and alarms need, and recommended. NONE: none, and CloudWatch is never called. Default `DETAILED`. */
  readonly cloudwatchMetricsLevel: "DETAILED" | "SUMMARY" | "NONE";
  /** Ours. The largest number of bytes that are fetched and not yet handed to Pulsar, beside receiveQueueSize: 1000 records of 1 MiB would be a gigabyte. At least 10 MiB, one full answer of GetRecords. Default `67108864`. */
  readonly maxBufferedBytes: number;
  /** Ours. true: when the consumer for enhanced fan-out cannot be registered (the stream has as many as it may, or the permission is missing), say so once and poll. false: stop with the error. Default `false`. */
  readonly fallbackToPolling: boolean;
  /** Ours. true: records that the Kinesis Producer Library packed into one are unpacked, as Java's library does: one message for each, with its own key. false: they arrive packed, as Kinesis stores them. Default `true`. */
  readonly kplDeaggregation: boolean;
  /** Ours. kcl: as in Java's library, a packed record with a key of another shard is dropped whole: after a reshard the producer sends it again. off: it is delivered, which producers need that pack without regard to keys. Default `kcl`. */
  readonly kplHashRangeFilter: "kcl" | "off";
  /** Ours. The pause after an answer that reached the end of a shard, in milliseconds. A shard that is behind is read without a pause. Kinesis allows each shard five reads a second, shared by all who read it; Java's library pauses 1500. Default `1000`. */
  readonly pollIdleTime: number;
  /** Ours. What to do when the stream was deleted and another one has its name: the stored positions mean nothing in it. fail: stop with PIO_STREAM_RECREATED. reset: delete the former stream's leases and read the new stream from its beginning, or from startAtTime; see "A stream created anew". Default `fail`. */
  readonly onStreamRecreated: "fail" | "reset";
}

/** What the JSON in `awsCredentialPluginParam` may hold. */
export interface AwsCredentialPluginParam {
  /** The AWS access key id. */
  readonly accessKey?: string | undefined;
  /** The AWS secret access key. */
  readonly secretKey?: string | undefined;
  /** Ours. The session token of temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** The ARN of the role to assume. */
  readonly roleArn?: string | undefined;
  /** The name of the session, as it shows in CloudTrail. */
  readonly roleSessionName?: string | undefined;
}
