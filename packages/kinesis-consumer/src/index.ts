export {
  type AwsClientOptions,
  type AwsClients,
  type AwsCredentialIdentity,
  type AwsCredentialIdentityProvider,
  createAwsClients,
} from "./aws-clients.ts";
export { type ConsumerHost, type ConsumerOptions, KinesisConsumer } from "./kinesis-consumer.ts";
export { KinesisRecord } from "./kinesis-record.ts";
