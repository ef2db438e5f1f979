import {
  IllegalStateError,
  type PartitionStatus,
  type Source,
  type SourceContext,
  type SourceRecord,
} from "@pulsar-ts-io/core";
import { quietVersionNotice, readAwsEnvironment } from "./aws-environment.ts";
import { type ConnectConsumer, type ConnectedConsumer, connectConsumer } from "./connect-consumer.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";
import { KinesisSourceRecord, type RecordShape } from "./kinesis-record.ts";
import { type KinesisSourceConfig, resolveOptions } from "./resolve-options.ts";

interface Opened extends ConnectedConsumer {
  readonly shape: RecordShape;
  readonly signal: AbortSignal;
}

/**
 * Reads a Kinesis data stream. A thin layer: leases, checkpoints and reading are the consumer's, the config is the table's.
 *
 * @see org.apache.pulsar.io.kinesis.KinesisSource in apache/pulsar-connectors
 */
export class KinesisSource implements Source<KinesisSourceOptions> {
  readonly #connect: ConnectConsumer;
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;

  /** @param connect only tests give another. */
  constructor(connect: ConnectConsumer = connectConsumer) {
    this.#connect = connect;
  }

  /**
   * @throws KinesisConfigError (`PIO_KINESIS_CONFIG`) before any I/O, and whatever keeps the consumer from its stream or table or, as
   *   FanOutUnavailableError (`PIO_FAN_OUT_UNAVAILABLE`), from enhanced fan-out: polling instead would be a quiet change of latency.
   */
  async open(options: KinesisSourceOptions, context: SourceContext): Promise<void> {
    const config = resolveOptions(options, readAwsEnvironment());
    quietVersionNotice();
    tellOfEndpoints(config, context);
    const connected = this.#connect(config, context);
    // Kept before anything can fail: close() must find it.
    this.#opened = { ...connected, shape: config.record, signal: context.signal };
    await connected.consumer.open(context.signal);
  }

  async read(): Promise<SourceRecord> {
    const { consumer, shape, signal } = this.#whenOpen();
    signal.throwIfAborted();
    return new KinesisSourceRecord(consumer.poll() ?? (await consumer.read(signal)), shape);
  }

  close(): Promise<void> {
    this.#closing ??= closeInOrder(this.#opened);
    return this.#closing;
  }

  status(): readonly PartitionStatus[] {
    return this.#opened?.consumer.status() ?? [];
  }

  #whenOpen(): Opened {
    if (this.#opened === undefined) throw new IllegalStateError("the Kinesis source is not open");
    return this.#opened;
  }
}

async function closeInOrder(opened: Opened | undefined): Promise<void> {
  try {
    await opened?.consumer.close();
  } finally {
    opened?.disconnect();
  }
}

function tellOfEndpoints({ endpoints }: KinesisSourceConfig, { logger }: SourceContext): void {
  const { leftAtAws, cloudwatchUnknown, region } = endpoints;
  if (cloudwatchUnknown) logger.info({}, "no metrics are sent, as no endpoint says where CloudWatch is");
  if (leftAtAws.length === 0) return;
  logger.warn(
    { services: leftAtAws, region },
    "some endpoints are overridden, these services still go to AWS",
  );
}
