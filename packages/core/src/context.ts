import type { Clock } from "./clock.ts";
import type { Guarantee } from "./guarantee.ts";
import type { Logger } from "./logger.ts";
import type { Meter } from "./meter.ts";
import type { Troubles } from "./trouble.ts";

/** What a source, or a command about a source, may use of the host it runs in. */
export interface ToolContext {
  /** Aborted when the command is interrupted. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a running source sees of its host. Mirrors `org.apache.pulsar.io.core.SourceContext`. */
export interface SourceContext extends ToolContext {
  /**
   * Aborted to say *stop reading*, and nothing else: acknowledgements still arrive and
   * positions must still be stored until {@link Source.close} returns.
   */
  readonly signal: AbortSignal;
  readonly tenant: string;
  /** The bare namespace, without its tenant. */
  readonly namespace: string;
  readonly sourceName: string;
  /** 0-based. */
  readonly instanceId: number;
  /**
   * Instances on all machines together. The real count for a connector with `sharding: by-number` in its manifest; for others
   * it may be too small, where instances are started one by one.
   */
  readonly numInstances: number;
  /** As configured, not normalised. */
  readonly outputTopic: string;
  /** What the host promises. With `EFFECTIVELY_ONCE` every record needs its `partitionId` and `recordSequence`. */
  readonly guarantee: Guarantee;
  readonly meter: Meter;
  /**
   * Where the source reports what fails and is retried, so that status, readiness, metrics and alerts show it.
   * The source does not log such failures itself: the host logs when one begins and when it ends.
   */
  readonly troubles: Troubles;
  /** The secret of that name, or `undefined` when none is configured. */
  secret(name: string): string | undefined;
  /** Observes a metric of the connector's own, kept as a summary. */
  recordMetric(name: string, value: number): void;
  /**
   * Durable key-value state. Where the host has no store every call fails with `PIO_STATE_DISABLED`, in Pulsar's own words;
   * `undefined`: the host knows no state at all.
   */
  readonly state: StateStore | undefined;
  /**
   * Closes the producers of a partition, after its last record was settled or given up.
   *
   * Call it before a partition is handed to another instance, and at once when it is lost: Pulsar refuses
   * a newcomer with the same producer name, not the stale holder. What is not confirmed by then is given up: it is neither
   * acknowledged nor failed. `read` must return no record of the partition afterwards, unless it was taken again.
   */
  releasePartition(partitionId: string): Promise<void>;
  /** Ends the instance with `error`. Returns at once; the first call counts. */
  fatal(error: Error): void;
}

/**
 * Small durable state of a source, shared by its instances. Mirrors the state of `org.apache.pulsar.functions.api.BaseContext`.
 *
 * What a call has stored when it resolves is there after a crash. Calls for one key take effect in their order.
 */
export interface StateStore {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, value: Uint8Array): Promise<void>;
  /** Deleting what there is not is no failure. */
  delete(key: string): Promise<void>;
  /** Adds `amount`, which may be negative; a counter begins at 0. 64 bits. */
  incrCounter(key: string, amount: bigint): Promise<void>;
  /** 0 where there is none. */
  getCounter(key: string): Promise<bigint>;
}
