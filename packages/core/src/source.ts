import type { SourceContext, ToolContext } from "./context.ts";
import type { SourceRecord } from "./record.ts";

/**
 * A connector that is asked for records. Mirrors `org.apache.pulsar.io.core.Source`.
 *
 * The host calls `open` once, then `read` from one loop, then `close` once, also after a failed or aborted `open`.
 *
 * @typeParam C the connector's validated configuration, complete with defaults.
 */
export interface Source<C> {
  /** Makes the source ready to read, or throws. */
  open(config: C, context: SourceContext): Promise<void>;
  /**
   * Waits for the next record.
   *
   * @throws the signal's reason once `context.signal` is aborted, and the failure of whatever `open` started.
   */
  read(): Promise<SourceRecord>;
  /**
   * Called after the last acknowledgement: stores the final position, releases what is held.
   * Idempotent; waits for what is in flight.
   */
  close(): Promise<void>;
  /** A snapshot for the status page; cheap, and without I/O. */
  status?(): readonly PartitionStatus[];
}

/** How a source is made: with nothing, so that the host alone decides what it gets. */
export type SourceConstructor<C> = new () => Source<C>;

/** One partition of the source, the unit that is owned and has a position. */
export interface PartitionStatus {
  readonly id: string;
  /** Who reads it; absent when nobody does. */
  readonly owner?: string | undefined;
  /** Since when, milliseconds since the epoch by the owner's clock; absent when unknown. */
  readonly ownedSinceMs?: number | undefined;
  /** How far behind the newest record, in milliseconds; absent when unknown. */
  readonly lagMs?: number | undefined;
  /** The stored position, in the source's own words. */
  readonly position?: string | undefined;
  /** Milliseconds since the position was stored. */
  readonly checkpointAgeMs?: number | undefined;
  /** What its reader is about, in the source's own words, such as `reading` or `idle`; absent when nobody reads it here. `stuck` (it gets no further) and `failing` (what it asks refuses) are understood by the host: when all are in trouble, so is the source. */
  readonly activity?: string | undefined;
  /** Records read from it since its reader was made; absent when unknown. */
  readonly received?: number | undefined;
  /** Whether it has been read to its end. */
  readonly finished?: boolean | undefined;
  /** Whether its owner was seen at work while somebody watched; absent when nobody did. */
  readonly ownerActive?: boolean | undefined;
  /** The partitions that continue it, as far as they are known. */
  readonly children?: readonly string[] | undefined;
}

/** Where to start a partition that has no position yet, or to move one to. */
export type StartPosition =
  | { readonly kind: "latest" }
  | { readonly kind: "trim-horizon" }
  | { readonly kind: "at-timestamp"; readonly epochMs: number };

/** What `check` has to tell, one thing at a time. */
export type CheckResult =
  | {
      readonly kind: "attempt";
      /** What was tried, such as an operation of a service. */
      readonly name: string;
      /** `limited`: refused, and the source goes on without it. */
      readonly outcome: "ok" | "limited" | "failed" | "not-tried";
      /** Why it is so, or what was found. */
      readonly detail?: string | undefined;
      readonly remedy?: string | undefined;
    }
  | {
      readonly kind: "policy";
      /** Whom it is for, in words. */
      readonly holder: string;
      /** What has to be granted, as the service that grants it reads it in JSON. */
      readonly document: unknown;
    };

/** What a connector module may export, as `tools`, besides its Source; the generic commands are built on these. */
export interface ConnectorTools<C> {
  /** Tries everything the source will need, changing nothing. */
  check?(config: C, context: ToolContext): AsyncIterable<CheckResult>;
  /** Who reads what, and how far. */
  partitions?(config: C, context: ToolContext): Promise<readonly PartitionStatus[]>;
  /**
   * Moves every partition to a position, and forgets what was stored.
   *
   * @throws PartitionsHeldError (`PIO_PARTITIONS_HELD`) while somebody reads one.
   */
  reset?(config: C, to: StartPosition, context: ToolContext): Promise<void>;
  /** Reads `count` records, takes nothing and writes nothing. */
  peek?(config: C, count: number, context: ToolContext): AsyncIterable<SourceRecord>;
}
