import { ForwardingLeaseTable } from "../metrics/forwarding-lease-table.ts";
import type { Lease } from "./lease.ts";
import type { LeaseTable } from "./lease-table.ts";

/** A lease table whose scans are also shown to another one, who so needs none of their own. */
export class ObservedScans extends ForwardingLeaseTable {
  readonly #saw: (leases: readonly Lease[]) => void;

  constructor(table: LeaseTable, saw: (leases: readonly Lease[]) => void) {
    super(table);
    this.#saw = saw;
  }

  override async list(
    options: { readonly consistent: boolean },
    signal: AbortSignal,
  ): Promise<readonly Lease[]> {
    const leases = await this.table.list(options, signal);
    this.#saw(leases);
    return leases;
  }
}
