import {
  CloudWatchClient,
  type CloudWatchClientConfig,
  type ServiceInputTypes as CloudWatchInput,
  type ServiceOutputTypes as CloudWatchOutput,
} from "@aws-sdk/client-cloudwatch";
import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  type ServiceInputTypes as DynamoInput,
  type ServiceOutputTypes as DynamoOutput,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import {
  GetRecordsCommand,
  KinesisClient,
  type KinesisClientConfig,
  type ServiceInputTypes as KinesisInput,
  type ServiceOutputTypes as KinesisOutput,
} from "@aws-sdk/client-kinesis";
import { type Clock, systemClock } from "@pulsar-ts-io/core";
import { AwsRequestHandler, type RequestHandler } from "./aws-request-handler.ts";
import { AwsService } from "./aws-service.ts";
import { CallTurns } from "./call-turns.ts";
import { fitsInstalledSdk, recordsProtocol } from "./fetch/aws-get-records-protocol.ts";
import { RecordEncoding } from "./fetch/record-encoding.ts";
import { KinesisHandler } from "./kinesis-handler.ts";

/** The keys of one AWS identity, in the SDK's own shape. */
export interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Called again before the identity expires; with `forceRefresh` when AWS says that it has expired. */
export type AwsCredentialIdentityProvider = (options?: {
  readonly forceRefresh?: boolean;
}) => Promise<AwsCredentialIdentity>;

export type KinesisService = AwsService<KinesisInput, KinesisOutput>;
export type DynamoService = AwsService<DynamoInput, DynamoOutput>;
export type CloudWatchService = AwsService<CloudWatchInput, CloudWatchOutput>;

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
  readonly credentials: AwsCredentialIdentityProvider | AwsCredentialIdentity;
  /** Whether records are asked for in CBOR, which costs half the CPU of JSON; default true. */
  readonly cbor?: boolean | undefined;
  /** Called once if the endpoint does not speak CBOR, with what it answered: it is asked in JSON from then on. */
  readonly onCborRefused?: ((answer: string) => void) | undefined;
  /** Bounds the calls; default the real one. */
  readonly clock?: Clock | undefined;
  /** Words that are added to the user agent of each request, such as `orders` and `instance/2`. */
  readonly userAgent?: readonly string[] | undefined;
}

export interface AwsClients extends Disposable {
  readonly kinesis: KinesisService;
  readonly dynamo: DynamoService;
  /** Absent: no metrics. */
  readonly cloudwatch: CloudWatchService | undefined;
  /** Closes the connections. Idempotent. */
  destroy(): void;
}

const connectTimeoutMs = 3_000;
/** KCL waits 30 s; a shard that is silent for that long is three leases late. With the pause after it, a call that was lost is repeated within 15 s. */
const kinesisTimeoutMs = 10_000;
/** A lease lasts 10 s: two attempts must fit in it. KCL waits 60 s. */
const dynamoTimeoutMs = 3_000;
/** KCL's. */
const cloudwatchTimeoutMs = 5_000;
/**
 * As many as there are shards, which have one call to Kinesis under way at most. With fewer, slow calls would keep the others waiting
 * in the agent, where renewals have no precedence and the time of a call runs.
 */
const maxSockets = 2_048;
/**
 * Longest time of a call once its credentials are known, milliseconds. The time-outs above end a silent attempt; these bound the
 * whole call, also when its answer trickles in: a list of shards, both attempts at a lease, one batch of metrics. A page of records has
 * more.
 */
const callWithinMs = { kinesis: 8_000, dynamo: 8_000, cloudwatch: 8_000 };

/** Calls that begin in one turn of the event loop. All renewals that may be under way: they do not wait for reading. */
const begunInATurn = { kinesis: 8, dynamo: 128 };

/**
 * Clients that are tuned for the consumer; whoever creates them destroys them.
 *
 * All speak HTTP/1.1 over kept connections, but for subscriptions: the SDK's default for Kinesis is a new HTTP/2 connection
 * for each request, which costs three times the CPU and fails on emulators without TLS.
 */
export function createAwsClients(options: AwsClientOptions): AwsClients {
  const shared = sharedConfig(options);
  const dynamoConfig: DynamoDBClientConfig = {
    ...shared,
    ...(options.dynamoEndpoint === undefined ? {} : { endpoint: options.dynamoEndpoint }),
    maxAttempts: 2,
    requestHandler: createRequestHandler(dynamoTimeoutMs),
  };
  const encoding = new RecordEncoding(options.cbor ?? true, options.onCborRefused);
  const kinesis = new KinesisClient(kinesisClientConfig(options, encoding));
  kinesis.middlewareStack.add(encoding.sendAgain, { step: "initialize", name: "sendAgainInJson" });
  const { clock = systemClock } = options;
  const kinesisService = new AwsService(kinesis, {
    clock,
    callWithinMs: callWithinMs.kinesis,
    customEndpoint: options.kinesisEndpoint !== undefined,
    turns: new CallTurns(begunInATurn.kinesis),
    often: [GetRecordsCommand],
    around: encoding.sendAgain,
  });
  const dynamoClient = new DynamoDBClient(dynamoConfig);
  // They copy each request and answer, every record with it, with sensitive fields hidden, for a log that nobody reads.
  kinesis.middlewareStack.remove("loggerMiddleware");
  dynamoClient.middlewareStack.remove("loggerMiddleware");
  const dynamo = new AwsService(dynamoClient, {
    clock,
    callWithinMs: callWithinMs.dynamo,
    customEndpoint: options.dynamoEndpoint !== undefined,
    turns: new CallTurns(begunInATurn.dynamo),
    often: [UpdateItemCommand],
    oftenAgain: true,
  });
  const cloudwatch = cloudwatchService(options, shared, clock);
  const destroy = () => {
    cloudwatch?.destroy();
    kinesisService.destroy();
    dynamo.destroy();
  };
  return { kinesis: kinesisService, dynamo, cloudwatch, destroy, [Symbol.dispose]: destroy };
}

export function kinesisClientConfig(
  options: AwsClientOptions,
  encoding: RecordEncoding,
): KinesisClientConfig {
  return {
    ...sharedConfig(options),
    ...(options.kinesisEndpoint === undefined ? {} : { endpoint: options.kinesisEndpoint }),
    // The readers pace themselves: an attempt hidden in the client would hide the throttle too.
    maxAttempts: 1,
    requestHandler: new KinesisHandler(createRequestHandler(kinesisTimeoutMs), {
      connectTimeoutMs,
      endpoint: options.kinesisEndpoint,
    }),
    ...(fitsInstalledSdk() ? { protocol: recordsProtocol(encoding) } : {}),
  };
}

function sharedConfig(options: AwsClientOptions) {
  return {
    region: options.region,
    credentials: options.credentials,
    ...(options.userAgent === undefined ? {} : { customUserAgent: wordPairs(options.userAgent) }),
  };
}

/** In the SDK's shape; given as one text, what separates them would be escaped. */
function wordPairs(words: readonly string[]): [string][] {
  return words.map((word) => [word]);
}

function cloudwatchService(
  { cloudwatch }: AwsClientOptions,
  shared: CloudWatchClientConfig,
  clock: Clock,
): CloudWatchService | undefined {
  if (cloudwatch === undefined) return undefined;
  const client = new CloudWatchClient({
    ...shared,
    ...(cloudwatch.endpoint === undefined ? {} : { endpoint: cloudwatch.endpoint }),
    // The next data are ten seconds away: nothing is gained by insisting.
    maxAttempts: 1,
    requestHandler: createRequestHandler(cloudwatchTimeoutMs),
  });
  return new AwsService(client, {
    clock,
    callWithinMs: callWithinMs.cloudwatch,
    customEndpoint: cloudwatch.endpoint !== undefined,
  });
}

/** Sends requests over HTTP/1.1 and kept connections. @param requestTimeoutMs longest time until an answer begins, and longest pause in it. */
export function createRequestHandler(requestTimeoutMs: number): RequestHandler {
  return new AwsRequestHandler({ connectTimeoutMs, requestTimeoutMs, keepAlive: true, maxSockets });
}
