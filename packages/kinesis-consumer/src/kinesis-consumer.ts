import type { AwsClients } from "./aws-clients.ts";
import type { ConsumerHost, ConsumerOptions } from "./consumer-options.ts";
import { AwsFanOut } from "./fetch/aws-fan-out.ts";
import { DynamoKcl3State } from "./lease/dynamo-kcl3-state.ts";
import { DynamoLeaseTable } from "./lease/dynamo-lease-table.ts";
import { CloudWatchMetricSink } from "./metrics/cloudwatch-metric-sink.ts";
import { AwsKinesisStream } from "./shard/aws-kinesis-stream.ts";
import { StreamConsumer } from "./stream-consumer.ts";

/** A {@link StreamConsumer} on AWS: the stream in Kinesis, the leases in KCL's DynamoDB table. */
export class KinesisConsumer extends StreamConsumer {
  /**
   * Checks the options; no I/O.
   *
   * @param clients left open: whoever made them destroys them.
   * @throws RangeError naming the option that is out of range.
   */
  constructor(clients: AwsClients, host: ConsumerHost, options: ConsumerOptions) {
    const { clock, logger } = host;
    const tableName = options.applicationName;
    const { cloudwatch } = clients;
    super(
      {
        stream: new AwsKinesisStream(clients.kinesis, options.streamName, clock),
        fanOut: new AwsFanOut(clients.kinesis, options.streamName),
        table: new DynamoLeaseTable(clients.dynamo, { tableName, clock, logger }),
        kcl3: new DynamoKcl3State(clients.dynamo, tableName),
        sink: cloudwatch === undefined ? undefined : new CloudWatchMetricSink(cloudwatch, tableName),
      },
      host,
      options,
    );
  }
}
