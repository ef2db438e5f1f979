import type { PartitionStatus, Trouble } from "@pulsar-ts-io/core";
import type { InstanceSnapshot } from "../instance/counters.ts";

/** How long nothing may move before it counts as a stall, milliseconds. A broker that restarts takes less. */
const stallMs = 60_000;

/** What {@link Movement} compares from call to call. */
export interface MovementView {
  readonly snapshot: InstanceSnapshot;
  readonly partitions: readonly PartitionStatus[];
  readonly troubles: readonly Trouble[];
}

/**
 * Detects stalls: there is work, or nobody can know whether there is, and nothing progresses.
 *
 * Call {@link look} regularly: each call compares with the previous one.
 */
export class Movement {
  #settled = 0;
  #received = 0;
  #lagMs = 0;
  /** When some partition was last read here without trouble, or none was read at all. */
  #wellAtMs: number;
  #receiptAtMs: number;
  #readAtMs: number;
  /** When no trouble last blocked the way of records. */
  #openAtMs: number;

  /** @param nowMs of the monotonic clock, here and below. */
  constructor(nowMs: number) {
    this.#wellAtMs = nowMs;
    this.#receiptAtMs = nowMs;
    this.#readAtMs = nowMs;
    this.#openAtMs = nowMs;
  }

  /** @returns why nothing moves; `undefined` while something does, or while there is nothing to move. */
  look(view: MovementView, nowMs: number): string | undefined {
    const blocking = view.troubles.find((trouble) => trouble.blocking);
    this.#note(view, blocking, nowMs);
    const { inFlight, lagMs = 0 } = view.snapshot;
    const blockedMs = nowMs - this.#openAtMs;
    if (blocking !== undefined && blockedMs >= stallMs) {
      return `${blocking.what} has failed for ${seconds(blockedMs)} s: ${blocking.message}`;
    }
    const unconfirmedMs = nowMs - this.#receiptAtMs;
    if (unconfirmedMs >= stallMs) {
      return `Pulsar has confirmed nothing for ${seconds(unconfirmedMs)} s; records that wait for it: ${inFlight}`;
    }
    const unreadMs = nowMs - this.#readAtMs;
    if (unreadMs >= stallMs && inFlight === 0 && lagMs >= stallMs) {
      return `nothing was read for ${seconds(unreadMs)} s, and the source is ${seconds(lagMs)} s behind`;
    }
    return this.#unread(view.partitions, nowMs);
  }

  /** A reader that reports `stuck` has waited long enough before it does; the other troubles may end soon. */
  #unread(partitions: readonly PartitionStatus[], nowMs: number): string | undefined {
    const activities = activitiesOf(partitions);
    if (activities.length > 0 && activities.every((activity) => activity === "stuck"))
      return "every partition that is read here is stuck";
    const failingMs = nowMs - this.#wellAtMs;
    return failingMs < stallMs ? undefined : `no partition could be read for ${seconds(failingMs)} s`;
  }

  #note({ snapshot, partitions }: MovementView, blocking: Trouble | undefined, nowMs: number): void {
    const { written, failed, received, inFlight, lagMs = 0 } = snapshot;
    const activities = activitiesOf(partitions);
    const isWell = activities.length === 0 || activities.some((activity) => !isTrouble(activity));
    if (isWell || received !== this.#received) this.#wellAtMs = nowMs;
    if (blocking === undefined || received !== this.#received) this.#openAtMs = nowMs;
    if (inFlight === 0 || written + failed !== this.#settled) this.#receiptAtMs = nowMs;
    this.#settled = written + failed;
    // A lag that shrinks belongs to a reader that passes through a stretch without records.
    if (received !== this.#received || lagMs < this.#lagMs) this.#readAtMs = nowMs;
    this.#received = received;
    this.#lagMs = lagMs;
  }
}

function activitiesOf(partitions: readonly PartitionStatus[]): readonly string[] {
  return partitions.flatMap(({ activity = [] }) => activity);
}

/** `starved`: the service throttles as many calls as it answers, or more. */
function isTrouble(activity: string): boolean {
  return activity === "stuck" || activity === "failing" || activity === "starved";
}

function seconds(ms: number): number {
  return Math.round(ms / 1_000);
}
