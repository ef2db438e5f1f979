import {
  DescribeStreamConsumerCommand,
  DescribeStreamSummaryCommand,
  InvalidArgumentException,
  LimitExceededException,
  RegisterStreamConsumerCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
  type SubscribeToShardEventStream,
} from "@aws-sdk/client-kinesis";
import { ConnectorError } from "@pulsar-ts-io/core";
import type { KinesisService } from "../aws-clients.ts";
import { type AwsFailure, readAwsFailure, translateAwsFailure } from "../aws-failure.ts";
import {
  AwsAccessDeniedError,
  AwsUnavailableError,
  FanOutUnavailableError,
  PositionRefusedError,
  ShardNotFoundError,
  StreamNotFoundError,
  SubscriptionInUseError,
} from "../errors.ts";
import { readChildren } from "../shard/aws-kinesis-stream.ts";
import type { ReadPosition, RecordPage } from "../shard/kinesis-stream.ts";
import type { ShardId } from "../shard/shard.ts";
import { pollInstead } from "./fan-out-remedy.ts";
import type { FanOutService, RegisteredConsumer } from "./fan-out-service.ts";

/** Enhanced fan-out of a stream in Kinesis. */
export class AwsFanOut implements FanOutService {
  readonly #kinesis: KinesisService;
  readonly #streamName: string;
  #streamArn: string | undefined;

  /** @param kinesis tries each call once, and does not bound the length of a subscription. */
  constructor(kinesis: KinesisService, streamName: string) {
    this.#kinesis = kinesis;
    this.#streamName = streamName;
  }

  async describeConsumer(name: string, signal: AbortSignal): Promise<RegisteredConsumer | undefined> {
    const StreamARN = await this.#arn(signal);
    const command = new DescribeStreamConsumerCommand({ StreamARN, ConsumerName: name });
    try {
      const answer = await this.#kinesis.call(command, signal);
      const { ConsumerARN: arn, ConsumerStatus } = answer.ConsumerDescription ?? {};
      if (arn === undefined) throw new AwsUnavailableError(`Kinesis gave no ARN for the consumer "${name}"`);
      return { arn, active: ConsumerStatus === "ACTIVE" };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ResourceNotFoundException) return undefined;
      throw await this.#translate(error, "DescribeStreamConsumer", undefined);
    }
  }

  async registerConsumer(name: string, signal: AbortSignal): Promise<void> {
    const StreamARN = await this.#arn(signal);
    const command = new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: name });
    try {
      await this.#kinesis.call(command, signal);
    } catch (error) {
      signal.throwIfAborted();
      // Another worker of the application was faster.
      if (error instanceof ResourceInUseException) return;
      throw await this.#translate(error, "RegisterStreamConsumer", undefined);
    }
  }

  async subscribe(
    shardId: ShardId,
    consumerArn: string,
    position: ReadPosition,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RecordPage>> {
    const command = new SubscribeToShardCommand({
      ConsumerARN: consumerArn,
      ShardId: shardId,
      StartingPosition: startingPosition(position),
    });
    try {
      const { EventStream } = await this.#kinesis.call(command, signal, { streams: true });
      if (EventStream === undefined) throw new AwsUnavailableError(`Kinesis gave no events for ${shardId}`);
      return this.#events(EventStream, shardId, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#translate(error, "SubscribeToShard", shardId);
    }
  }

  async *#events(
    stream: AsyncIterable<SubscribeToShardEventStream>,
    shardId: ShardId,
    signal: AbortSignal,
  ): AsyncGenerator<RecordPage, void, undefined> {
    try {
      for await (const { SubscribeToShardEvent: event } of stream) {
        if (event !== undefined) yield readEvent(event);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#translate(error, "SubscribeToShard", shardId);
    }
  }

  async #arn(signal: AbortSignal): Promise<string> {
    if (this.#streamArn !== undefined) return this.#streamArn;
    const command = new DescribeStreamSummaryCommand({ StreamName: this.#streamName });
    try {
      const answer = await this.#kinesis.call(command, signal);
      const arn = answer.StreamDescriptionSummary?.StreamARN;
      if (arn === undefined) throw new AwsUnavailableError("Kinesis gave no ARN for the stream");
      this.#streamArn = arn;
      return arn;
    } catch (error) {
      signal.throwIfAborted();
      throw await this.#translate(error, "DescribeStreamSummary", undefined);
    }
  }

  async #translate(error: unknown, operation: string, id: ShardId | undefined): Promise<ConnectorError> {
    if (error instanceof ConnectorError) return error;
    const failure = readAwsFailure(error);
    const where = await this.#kinesis.describe(failure);
    const resource = `stream "${this.#streamName}"`;
    const details = { stream: this.#streamName, shardId: id, region: where.region, endpoint: where.endpoint };
    const known = readKnown(failure, operation, resource, id, { cause: failure.cause, details });
    if (known !== undefined) return known;
    const translated = translateAwsFailure(failure, { service: "Kinesis", operation, resource, ...where });
    if (translated.code !== "PIO_AWS_ACCESS_DENIED") return translated;
    return new AwsAccessDeniedError(translated.message, {
      cause: failure.cause,
      details: translated.details,
      remedy: `${translated.remedy ?? "allow it"}, or ${pollInstead}`,
    });
  }
}

/** What means something else here than elsewhere. */
function readKnown(
  failure: AwsFailure,
  operation: string,
  stream: string,
  id: ShardId | undefined,
  options: { readonly cause: Error; readonly details: Readonly<Record<string, string | undefined>> },
): ConnectorError | undefined {
  const { cause } = failure;
  if (id === undefined) {
    if (cause instanceof ResourceNotFoundException) {
      return new StreamNotFoundError(`there is no ${stream} any more`, options);
    }
    // The other operations answer so for their rate alone, and RegisterStreamConsumer says so when it means its rate.
    const limited = cause instanceof LimitExceededException && operation === "RegisterStreamConsumer";
    if (!limited || /rate exceeded|throttl/i.test(failure.message)) return undefined;
    return new FanOutUnavailableError(
      `no consumer can be registered for enhanced fan-out of ${stream}: ${failure.message}`,
      {
        ...options,
        remedy: `deregister a consumer that is not needed, have the limit raised, or ${pollInstead}`,
      },
    );
  }
  if (cause instanceof ResourceNotFoundException) {
    return new ShardNotFoundError(`Kinesis knows no shard ${id} of ${stream}, or not the consumer`, options);
  }
  if (cause instanceof ResourceInUseException) {
    return new SubscriptionInUseError(`the subscription to ${id} of ${stream} is in use`, options);
  }
  if (cause instanceof InvalidArgumentException) {
    return new PositionRefusedError(`Kinesis refuses a position in ${id}: ${failure.message}`, options);
  }
  return undefined;
}

/** An end whose children do not all say whose they are is not believed. */
function readEvent(event: SubscribeToShardEvent): RecordPage {
  const next = event.ContinuationSequenceNumber;
  return {
    records: event.Records ?? [],
    next: next === "" ? undefined : next,
    millisBehindLatest: event.MillisBehindLatest ?? 0,
    children: readChildren(event.ChildShards),
  };
}

function startingPosition(position: ReadPosition): StartingPosition {
  switch (position.kind) {
    case "trim-horizon":
      return { Type: "TRIM_HORIZON" };
    case "at-timestamp":
      return { Type: "AT_TIMESTAMP", Timestamp: new Date(position.epochMs) };
    case "at-sequence":
      return { Type: "AT_SEQUENCE_NUMBER", SequenceNumber: position.sequenceNumber };
    case "after-sequence":
      return { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber: position.sequenceNumber };
    default:
      return position satisfies never;
  }
}
