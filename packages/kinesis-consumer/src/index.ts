export {
  type AwsClientOptions,
  type AwsClients,
  type AwsCredentialIdentity,
  type AwsCredentialIdentityProvider,
  createAwsClients,
  createRequestHandler,
} from "./aws-clients.ts";
export { fromNodeProviderChain, fromTemporaryCredentials } from "./aws-credential-providers.ts";
export { isPassingAwsError } from "./aws-failure.ts";
export { isAwsEndpoint, readAwsHost } from "./aws-partition.ts";
export type { ConsumerHost, ConsumerOptions } from "./consumer-options.ts";
export { KinesisConsumer } from "./kinesis-consumer.ts";
export { KinesisRecord } from "./kinesis-record.ts";
export { type AccessCheckOptions, AwsAccessCheck } from "./tools/aws-access-check.ts";
export { type LeaseToolOptions, LeaseTools } from "./tools/lease-tools.ts";
