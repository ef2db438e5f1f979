import { formatCheckpoint } from "../checkpoint.ts";
import type { NewLease, StreamStamp } from "../lease/lease.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import type { ShardId } from "../shard/shard.ts";
import type { ConsumerMetrics } from "./consumer-metrics.ts";
import { ForwardingLeaseTable } from "./forwarding-lease-table.ts";
import type { MetricScope } from "./metric-scope.ts";

/** The lease table as one who creates leases sees it: the creations are measured under KCL's name of what he does. */
export class LeaseCreations extends ForwardingLeaseTable {
  readonly #creations: MetricScope;

  constructor(table: LeaseTable, metrics: ConsumerMetrics, operation: "ShardSyncTask" | "ShutdownTask") {
    super(table);
    this.#creations = metrics.ofOperation(operation);
  }

  override async create(
    leases: readonly NewLease[],
    stamp: StreamStamp,
    signal: AbortSignal,
  ): Promise<readonly ShardId[]> {
    let success = false;
    try {
      const created = await this.#creations.measure("CreateLease", "DETAILED", () =>
        super.create(leases, stamp, signal),
      );
      success = true;
      return created;
    } finally {
      for (const { checkpoint } of leases) {
        const at = checkpoint.kind === "after" ? "SEQUENCE_NUMBER" : formatCheckpoint(checkpoint);
        this.#creations.add(`CreateLease_${at}.Success`, success ? 1 : 0, "Count", "DETAILED");
      }
    }
  }
}
