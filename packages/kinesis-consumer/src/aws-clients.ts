import { CloudWatchClient, type CloudWatchClientConfig } from "@aws-sdk/client-cloudwatch";
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { KinesisClient, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { fitsInstalledSdk, GetRecordsProtocol } from "./fetch/aws-get-records-protocol.ts";
import { KinesisHandler } from "./kinesis-handler.ts";

/** The keys of one AWS identity, in the SDK's own shape. */
export interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Asked again before what it gave expires. */
export type AwsCredentialIdentityProvider = () => Promise<AwsCredentialIdentity>;

export interface AwsClientOptions {
  readonly region: string;
  /** Absent: AWS's own for the region. */
  readonly kinesisEndpoint?: string | undefined;
  /** Absent: AWS's own for the region. */
  readonly dynamoEndpoint?: string | undefined;
  /** Where metrics go; absent: to nobody, and there is no client for it. */
  readonly cloudwatch?:
    | { /** Absent: AWS's own for the region. */ readonly endpoint?: string | undefined }
    | undefined;
  /** Absent: the SDK's default chain. */
  readonly credentials?: AwsCredentialIdentityProvider | AwsCredentialIdentity | undefined;
  /** Words that are added to the user agent of each request, such as `orders` and `instance/2`. */
  readonly userAgent?: readonly string[] | undefined;
}

export interface AwsClients extends Disposable {
  readonly kinesis: KinesisClient;
  readonly dynamo: DynamoDBClient;
  /** Absent: no metrics. */
  readonly cloudwatch: CloudWatchClient | undefined;
  /** Closes the connections. Idempotent. */
  destroy(): void;
}

const connectTimeoutMs = 3_000;
/** KCL waits 30 s; a shard that is silent for that long is three leases late. */
const kinesisTimeoutMs = 15_000;
/** A lease lasts 10 s: two attempts must fit in it. KCL waits 60 s. */
const dynamoTimeoutMs = 3_000;
/** KCL's. */
const cloudwatchTimeoutMs = 5_000;
const maxSockets = 64;

/**
 * Clients that are tuned for the consumer; whoever creates them destroys them.
 *
 * All speak HTTP/1.1 over kept connections, but for subscriptions: the SDK's default for Kinesis is a new HTTP/2 connection
 * for each request, which costs three times the CPU and fails on emulators without TLS.
 */
export function createAwsClients(options: AwsClientOptions): AwsClients {
  const shared = {
    region: options.region,
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.userAgent === undefined ? {} : { customUserAgent: wordPairs(options.userAgent) }),
  };
  const kinesisConfig: KinesisClientConfig = {
    ...shared,
    ...(options.kinesisEndpoint === undefined ? {} : { endpoint: options.kinesisEndpoint }),
    // The readers pace themselves: an attempt hidden in the client would hide the throttle too.
    maxAttempts: 1,
    requestHandler: new KinesisHandler(handler(kinesisTimeoutMs), {
      connectTimeoutMs,
      endpoint: options.kinesisEndpoint,
    }),
    ...(fitsInstalledSdk() ? { protocol: GetRecordsProtocol } : {}),
  };
  const dynamoConfig: DynamoDBClientConfig = {
    ...shared,
    ...(options.dynamoEndpoint === undefined ? {} : { endpoint: options.dynamoEndpoint }),
    maxAttempts: 2,
    requestHandler: handler(dynamoTimeoutMs),
  };
  const kinesis = new KinesisClient(kinesisConfig);
  // It copies every record of an answer, with sensitive fields hidden, for a log that nobody reads.
  kinesis.middlewareStack.remove("loggerMiddleware");
  const dynamo = new DynamoDBClient(dynamoConfig);
  const cloudwatch = cloudwatchClient(options, shared);
  const destroy = () => {
    cloudwatch?.destroy();
    kinesis.destroy();
    dynamo.destroy();
  };
  return { kinesis, dynamo, cloudwatch, destroy, [Symbol.dispose]: destroy };
}

/** In the SDK's shape; given as one text, what separates them would be escaped. */
function wordPairs(words: readonly string[]): [string][] {
  return words.map((word) => [word]);
}

function cloudwatchClient(
  { cloudwatch }: AwsClientOptions,
  shared: CloudWatchClientConfig,
): CloudWatchClient | undefined {
  if (cloudwatch === undefined) return undefined;
  return new CloudWatchClient({
    ...shared,
    ...(cloudwatch.endpoint === undefined ? {} : { endpoint: cloudwatch.endpoint }),
    // The next data are ten seconds away: nothing is gained by insisting.
    maxAttempts: 1,
    requestHandler: handler(cloudwatchTimeoutMs),
  });
}

function handler(requestTimeoutMs: number): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    socketTimeout: requestTimeoutMs,
    // Without this the handler only prints a warning when the time is up.
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets },
    httpsAgent: { keepAlive: true, maxSockets },
  });
}
