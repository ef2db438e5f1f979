export {
  AccountLedger,
  type AssumedRole,
  type MetricStatistics,
  type PutMetric,
} from "./kinesis/account-ledger.ts";
export { eventFrame } from "./kinesis/event-frame.ts";
export {
  type CallTarget,
  type Fault,
  type FaultEffect,
  type FaultRule,
  type FaultScope,
  KinesisFaults,
} from "./kinesis/faults.ts";
export { InProcessHandler } from "./kinesis/in-process-handler.ts";
export {
  type KinesisDouble,
  type KinesisDoubleOptions,
  startKinesisDouble,
} from "./kinesis/kinesis-double.ts";
export { KinesisModel, type KinesisModelOptions } from "./kinesis/kinesis-model.ts";
export { KinesisService, type RememberedCall } from "./kinesis/kinesis-service.ts";
export { ServiceError, type ServiceErrorName } from "./kinesis/service-error.ts";
export type { PutEntry, Shard } from "./kinesis/shard.ts";
export type { ShardLimits } from "./kinesis/shard-limits.ts";
export type { Placement, Stream, StreamStatus } from "./kinesis/stream.ts";
export { MemoryStateStore } from "./memory-state-store.ts";
export { type LogLevel, type LogLine, RecordingLogger } from "./recording-logger.ts";
export { RecordingMeter } from "./recording-meter.ts";
export { type DockerEngine, type DockerOptions, startDockerEngine } from "./stack/docker-engine.ts";
export { type DockerImage, openDockerImage } from "./stack/docker-image.ts";
export { startDynalite } from "./stack/dynalite.ts";
export { startDynamoDbLocal } from "./stack/dynamodb-local.ts";
export { type JavaProgram, type JavaSource, prepareJava } from "./stack/java-program.ts";
export { type KinesisLocalOptions, startKinesisLocal } from "./stack/kinesis-local.ts";
export type { LocalService } from "./stack/local-service.ts";
export { startLocalStack } from "./stack/localstack.ts";
export { type MavenJars, mavenJars } from "./stack/maven-jars.ts";
export { type LocalPulsar, type PulsarOptions, startPulsar } from "./stack/pulsar.ts";
export { PulsarAdmin, type PulsarAdminOptions, type TopicStats } from "./stack/pulsar-admin.ts";
export { pulsarArtifacts, pulsarVersion } from "./stack/pulsar-jars.ts";
export type { PulsarSettings } from "./stack/pulsar-settings.ts";
export { mintToken, newTokenSecret } from "./stack/pulsar-token.ts";
export { type PythonPackages, preparePython } from "./stack/python-environment.ts";
export { type ReadTopicOptions, readTopic, readTopicToEnd, type TopicMessage } from "./stack/read-topic.ts";
export {
  StackFetchError,
  StackPartMissingError,
  StackRequestError,
  StackStartError,
} from "./stack/stack-errors.ts";
export type { StackOptions } from "./stack/stack-options.ts";
export { TestClock, type TestClockOptions } from "./test-clock.ts";
export { testContext } from "./test-context.ts";
export { type ReadMessage, readMessages, type TopicReaderOptions } from "./topic-reader.ts";
