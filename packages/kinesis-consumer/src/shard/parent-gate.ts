import { Backoff, type Clock, type Outage } from "@pulsar-ts-io/core";
import type { Lease } from "../lease/lease.ts";
import type { LeaseTable } from "../lease/lease-table.ts";
import { retryUntilDone } from "../retry.ts";
import { sleepUntilWoken, WakeUp } from "../wake-up.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** KCL looks every 10 s. Here the end of a parent wakes its children at once, unless another worker wrote it. */
const firstPollMs = 1_000;
const longestPollMs = 10_000;

/** Keeps a child waiting until each of its parents was read to its end, or has no lease (any more). */
export class ParentGate {
  readonly #table: LeaseTable;
  readonly #clock: Clock;
  readonly #outage: Outage;
  readonly #ended = new WakeUp();

  constructor(table: LeaseTable, clock: Clock, outage: Outage) {
    this.#table = table;
    this.#clock = clock;
    this.#outage = outage;
  }

  /** A shard has ended here: whoever waits looks again. */
  open(): void {
    this.#ended.wake();
  }

  /** Waits for the parents of `lease`. */
  async pass(lease: Lease, signs: WaitingSigns, signal: AbortSignal): Promise<void> {
    const pause = new Backoff({ initialMs: firstPollMs, maxMs: longestPollMs });
    for (;;) {
      // Before asking, or an end between the answer and the waiting would be missed.
      const woken = this.#ended.count;
      if (!(await this.#blocked(lease, signs, signal))) return;
      if (woken === this.#ended.count) await sleepUntilWoken(this.#clock, pause.next(), this.#ended, signal);
    }
  }

  async #blocked(lease: Lease, signs: WaitingSigns, signal: AbortSignal): Promise<boolean> {
    const key = `parents of ${lease.shardId}`;
    const retry = { clock: this.#clock, outage: this.#outage, key, signal, signs };
    // One after the other: a question that is never answered must not hide behind another one.
    for (const id of lease.parentShardIds) {
      const parent = await retryUntilDone(retry, () => this.#table.get(id, signal));
      if (parent !== undefined && parent.checkpoint.kind !== "shard-end") return true;
    }
    return false;
  }
}
