import type { PartitionStatus } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";

/** How long nothing may move before it is called a stall. A broker that restarts takes less. */
const stallMs = 60_000;

/** Tells an instance that is stuck from one that has nothing to do. Look often: it knows what it saw. */
export class Movement {
  #settled = 0;
  #received = 0;
  #lagMs = 0;
  /** When some partition was last read here without trouble, or none was read at all. */
  #wellAtMs: number;
  #receiptAtMs: number;
  #readAtMs: number;

  /** @param nowMs of a clock that never goes back, here and below. */
  constructor(nowMs: number) {
    this.#wellAtMs = nowMs;
    this.#receiptAtMs = nowMs;
    this.#readAtMs = nowMs;
  }

  /** @returns why nothing moves although there is something to move; `undefined` while it does, or while there is nothing. */
  look(
    snapshot: InstanceSnapshot,
    partitions: readonly PartitionStatus[],
    nowMs: number,
  ): string | undefined {
    this.#note(snapshot, nowMs);
    const { inFlight, lagMs = 0 } = snapshot;
    const unconfirmedMs = nowMs - this.#receiptAtMs;
    if (unconfirmedMs >= stallMs) {
      return `Pulsar has confirmed nothing for ${seconds(unconfirmedMs)} s; records that wait for it: ${inFlight}`;
    }
    const unreadMs = nowMs - this.#readAtMs;
    if (unreadMs >= stallMs && inFlight === 0 && lagMs >= stallMs) {
      return `nothing was read for ${seconds(unreadMs)} s, and the source is ${seconds(lagMs)} s behind`;
    }
    return this.#trouble(partitions, nowMs);
  }

  /** A reader that says it is stuck has waited long enough before it says so; one that fails may be over it soon. */
  #trouble(partitions: readonly PartitionStatus[], nowMs: number): string | undefined {
    const activities = partitions.flatMap(({ activity = [] }) => activity);
    if (activities.length === 0 || activities.some((activity) => !isTrouble(activity)))
      this.#wellAtMs = nowMs;
    else if (activities.every((activity) => activity === "stuck"))
      return "every partition that is read here is stuck";
    const failingMs = nowMs - this.#wellAtMs;
    return failingMs < stallMs ? undefined : `no partition could be read for ${seconds(failingMs)} s`;
  }

  #note({ written, failed, received, inFlight, lagMs = 0 }: InstanceSnapshot, nowMs: number): void {
    if (inFlight === 0 || written + failed !== this.#settled) this.#receiptAtMs = nowMs;
    this.#settled = written + failed;
    // A lag that shrinks is a reader on its way through where there are no records.
    if (received !== this.#received || lagMs < this.#lagMs) this.#readAtMs = nowMs;
    this.#received = received;
    this.#lagMs = lagMs;
  }
}

function isTrouble(activity: string): boolean {
  return activity === "stuck" || activity === "failing";
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
