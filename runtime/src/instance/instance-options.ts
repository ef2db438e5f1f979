import type { Clock, Guarantee, Logger, Meter, StateStore, TroubleLog } from "@pulsar-ts-io/core";
import type { PublisherOptions } from "@pulsar-ts-io/pulsar";
import type { Deduplication } from "./partition-publishers.ts";
import type { EarlierProducer } from "./producer-names.ts";
import type { RefusalPolicy } from "./refusal-policy.ts";

/** Everything that makes one run of one source, complete: no defaults below this line. */
export interface InstanceOptions {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  /** 0-based. */
  readonly instanceId: number;
  readonly numInstances: number;
  /** Where records go that name no destination; `undefined`: each record must name one. */
  readonly topic: string | undefined;
  readonly guarantee: Guarantee;
  /** Asked about each topic that is published to effectively once; absent: every topic is taken to deduplicate. */
  readonly deduplication?: Deduplication | undefined;
  /** `global`: the connector's partition ids are no other source's. Absent: producers have the source's name before them. */
  readonly partitionIds?: "global" | undefined;
  /** Who published under plain partition ids, as earlier releases did; absent: not known. */
  readonly earlierProducer?: EarlierProducer | undefined;
  readonly publisher: PublisherOptions;
  readonly onRefused: RefusalPolicy;
  readonly secrets: ReadonlyMap<string, string>;
  readonly state: StateStore;
  /** How long a stop waits for receipts, milliseconds. */
  readonly drainTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** What fails and is retried in this run: the source and the transport report to it. */
  readonly troubles: TroubleLog;
}
