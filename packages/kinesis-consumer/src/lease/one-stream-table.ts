import { ForwardingLeaseTable } from "../metrics/forwarding-lease-table.ts";
import { checkStreamCreation, type IdentitySubject } from "../shard/stream-identity.ts";
import type { Lease } from "./lease.ts";
import type { LeaseTable } from "./lease-table.ts";

/** A lease table in which every row must be of one stream. Whoever looks learns when it is not (any more). */
export class OneStreamTable extends ForwardingLeaseTable {
  readonly #subject: IdentitySubject;

  constructor(table: LeaseTable, subject: IdentitySubject) {
    super(table);
    this.#subject = subject;
  }

  /** @throws StreamRecreatedError (`PIO_STREAM_RECREATED`) when a row was written for another stream of the name: take none. */
  override async list(
    options: { readonly consistent: boolean },
    signal: AbortSignal,
  ): Promise<readonly Lease[]> {
    const leases = await this.table.list(options, signal);
    for (const lease of leases) checkStreamCreation(lease.streamCreatedMs, this.#subject);
    return leases;
  }
}
