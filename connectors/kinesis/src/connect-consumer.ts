import { IllegalStateError, type SourceContext } from "@pulsar-ts-io/core";
import type { Consumer, ConsumerHost, ConsumerOptions } from "./consumer-shape.ts";
import { type CredentialProvider, credentialProvider } from "./credentials.ts";
import type { KinesisSourceConfig } from "./resolve-options.ts";

/** A consumer and the connections it uses. */
export interface ConnectedConsumer {
  readonly consumer: Consumer;
  /** Closes the connections, after the consumer. Idempotent. */
  disconnect(): void;
}

/** Makes the consumer of a config. No I/O: that begins with the consumer's `open`. */
export type ConnectConsumer = (
  config: KinesisSourceConfig,
  context: SourceContext,
) => Promise<ConnectedConsumer>;

interface ConsumerDoor {
  createAwsClients(options: {
    region: string;
    kinesisEndpoint: string | undefined;
    dynamoEndpoint: string | undefined;
    credentials: CredentialProvider;
    userAgent: string;
  }): { destroy(): void };
  readonly KinesisConsumer: new (clients: object, host: ConsumerHost, options: ConsumerOptions) => Consumer;
}

/** The consumer of `@pulsar-ts-io/kinesis-consumer`. */
export const connectConsumer: ConnectConsumer = async (config, context) => {
  const door = (await import("@pulsar-ts-io/kinesis-consumer")) as unknown as Partial<ConsumerDoor>;
  const { createAwsClients, KinesisConsumer } = door;
  if (createAwsClients === undefined || KinesisConsumer === undefined) {
    throw new IllegalStateError("this build has no Kinesis consumer");
  }
  const { endpoints } = config;
  const clients = createAwsClients({
    region: endpoints.region,
    kinesisEndpoint: endpoints.kinesis,
    dynamoEndpoint: endpoints.dynamodb,
    credentials: credentialProvider(config.credentials, endpoints),
    userAgent: config.applicationName,
  });
  const { streamName, applicationName, initialPosition, retrieval } = config;
  const { checkpointIntervalMs, backoffMs, checkpointAttempts, maxBufferedRecords, maxBufferedBytes } =
    config;
  const consumer = new KinesisConsumer(
    clients,
    {
      clock: context.clock,
      logger: context.logger,
      meter: context.meter,
      releasePartition: (shardId) => context.releasePartition(shardId),
    },
    {
      streamName,
      applicationName,
      instanceId: `${context.instanceId}`,
      initialPosition,
      retrieval,
      checkpointIntervalMs,
      backoffMs,
      checkpointAttempts,
      maxBufferedRecords,
      maxBufferedBytes,
    },
  );
  return { consumer, disconnect: () => clients.destroy() };
};
