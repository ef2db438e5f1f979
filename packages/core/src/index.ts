export { Backoff, type BackoffOptions } from "./backoff.ts";
export { BoundedQueue } from "./bounded-queue.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { SourceContext, StateStore, ToolContext } from "./context.ts";
export { crowdedController } from "./crowded-controller.ts";
export {
  ConnectorError,
  type ConnectorErrorOptions,
  codeOf,
  type ErrorDetails,
  hasCode,
  IllegalStateError,
  isRetryable,
  PartitionsHeldError,
  remedyOf,
  toError,
} from "./errors.ts";
export type { Guarantee } from "./guarantee.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export { type Counter, type Gauge, type Histogram, type Labels, type Meter, silentMeter } from "./meter.ts";
export { PushSource } from "./push-source.ts";
export type { SourceRecord } from "./record.ts";
export { type Job, runTogether } from "./run-together.ts";
export type {
  CheckResult,
  ConnectorTools,
  PartitionStatus,
  Source,
  SourceConstructor,
  StartPosition,
} from "./source.ts";
export {
  type Outage,
  type OutageOptions,
  silentTroubles,
  type Trouble,
  TroubleLog,
  type TroubleLogOptions,
  type Troubles,
} from "./trouble.ts";
