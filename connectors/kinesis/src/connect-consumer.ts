import type { PartitionStatus, SourceContext } from "@pulsar-ts-io/core";
import { createAwsClients, KinesisConsumer } from "@pulsar-ts-io/kinesis-consumer";
import { credentialProvider } from "./credentials.ts";
import type { DeliveredRecord } from "./kinesis-record.ts";
import type { KinesisSourceConfig } from "./resolve-options.ts";

/** The consumer, as the source needs it. */
export interface Consumer {
  open(signal: AbortSignal): Promise<void>;
  /** Waits. @throws the signal's reason, and the failure of what `open` started. */
  read(signal: AbortSignal): Promise<DeliveredRecord>;
  /** A record that is there already. */
  poll(): DeliveredRecord | undefined;
  close(): Promise<void>;
  status(): readonly PartitionStatus[];
}

/** A consumer and the connections it uses. */
export interface ConnectedConsumer {
  readonly consumer: Consumer;
  /** Closes the connections, after the consumer. Idempotent. */
  disconnect(): void;
}

/** Makes the consumer of a config. No I/O: that begins with the consumer's `open`. */
export type ConnectConsumer = (config: KinesisSourceConfig, context: SourceContext) => ConnectedConsumer;

/** The consumer of `@pulsar-ts-io/kinesis-consumer`, with clients of its own. */
export const connectConsumer: ConnectConsumer = (config, context) => {
  const { endpoints, cbor, credentials, record: _shape, ...options } = config;
  const { clock, logger, meter, troubles } = context;
  const clients = createAwsClients({
    region: endpoints.region,
    kinesisEndpoint: endpoints.kinesis,
    dynamoEndpoint: endpoints.dynamodb,
    cloudwatch: config.metricsLevel === "NONE" ? undefined : { endpoint: endpoints.cloudwatch },
    credentials: credentialProvider(credentials, endpoints),
    cbor,
    onCborRefused: (answer) =>
      logger.info({ answer }, "Kinesis endpoint does not speak CBOR, reading in JSON, which costs more CPU"),
    // The application as Java's connector does, and who of its workers it is: CloudTrail tells both.
    userAgent: [config.applicationName, `instance/${context.instanceId}`],
  });
  const host = {
    clock,
    logger,
    meter,
    troubles,
    releasePartition: (partitionId: string) => context.releasePartition(partitionId),
  };
  const consumer = new KinesisConsumer(clients, host, {
    ...options,
    instanceId: `${context.instanceId}`,
    numberRecords: context.guarantee === "EFFECTIVELY_ONCE",
  });
  return { consumer, disconnect: () => clients.destroy() };
};
