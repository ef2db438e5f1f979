import type { ReadingSigns } from "../fetch/reading-signs.ts";
import type { WaitingSigns } from "./waiting-signs.ts";

/** What a reader is about, the worst first. */
export const readerStates = [
  /** Nothing was heard of it, or it gets no further, although nothing holds it back. */
  "stuck",
  /** Pulsar takes the records slower than they come, or not at all. */
  "held-back",
  /** Kinesis refuses, or cannot be reached. */
  "failing",
  /** Kinesis throttles as many calls as it answers, or more. */
  "starved",
  /** For something else than records: the end of its parents, or leases for its children. */
  "waiting",
  "reading",
  /** Everything was read. */
  "idle",
] as const;

export type ReaderState = (typeof readerStates)[number];

/** What is to be done about a reader. */
export type Remedy = "none" | "restart" | "give-up";

/** A lease is given up when so many restarts have not helped, and the reader got no further for so long. */
const maxRestarts = 3;
const giveUpMs = 120_000;
const patienceMs = 60_000;
/** Longer than any call takes that ends by itself. */
const patienceAfterRestartMs = 20_000;
/** A page or two without records says nothing yet. */
const leastStagnantAnswers = 4;
const heldBackMs = 10_000;
const leastFailures = 3;
/** Longer than Kinesis keeps a subscription from the next owner of a lease, five seconds, with the pauses between the attempts. */
const failingMs = 20_000;
const leastThrottles = 3;
const throttleWindowMs = 30_000;
/** After so long without an answer, or without a throttle, the window need not have passed. */
const inTurnMs = 10_000;
/** No more time than this counts from one look to the next: while the process was suspended nobody could give a sign. */
const longestStepMs = 10_000;
/** How long an answer says how far behind a reader is. Idle shards are asked every second, and report every five by fan-out. */
const freshMs = 10_000;

type Doing = "waiting" | "calling" | "resting" | "held-back" | "asking";

/**
 * Tells from the signs of one reader how it fares. No timer of its own: {@link look} counts the time.
 *
 * Only what leads further ends the trouble: records, the newest position, or a smaller distance to it, and an answer to what is
 * asked for another reason. Who is held back is
 * never stuck, nor is a reader to which Kinesis says no.
 */
export class ReaderHealth implements ReadingSigns, WaitingSigns {
  #doing: Doing = "waiting";
  #lookedMs: number;
  /** Since the last sign; without the time it was held back or waited. */
  #silentMs = 0;
  #restMs = 0;
  #heldBackMs = 0;
  /** Since it last got any further. */
  #standingMs = 0;
  /** The same, or since the last restart. */
  #stagnantMs = 0;
  #stagnantAnswers = 0;
  /** The smallest distance to the newest record since the last start; `undefined` before the first answer. */
  #leastBehindMs: number | undefined;
  #restarts = 0;
  #failures = 0;
  /** Since the first of them. */
  #failingMs = 0;
  #caughtUp = false;
  /** In this window and the one before. */
  #throttles = [0, 0];
  #answers = [0, 0];
  #windowMs = 0;
  /** Since the last answer and the last throttle, and the time since the first of them. */
  #throttlesInTurn = 0;
  #answersInTurn = 0;
  #inTurnMs = 0;
  /** What the last answer said, and the time since then up to the last look; `undefined` before the first answer. */
  #behindMs: number | undefined;
  #sinceAnswerMs = 0;

  /** @param nowMs monotonic. */
  constructor(nowMs: number) {
    this.#lookedMs = nowMs;
  }

  waiting(): void {
    // Whatever the answer was: there was one, and it was what held it up.
    if (this.#doing === "calling") this.#advanced();
    this.#does("waiting");
  }

  calling(): void {
    this.#does("calling");
  }

  resting(ms: number): void {
    this.#does("resting");
    this.#restMs = ms;
  }

  heldBack(): void {
    if (this.#doing === "held-back") return;
    this.#does("held-back");
    this.#heldBackMs = 0;
  }

  asking(): void {
    this.#does("asking");
  }

  answered(records: number, behindMs: number): void {
    this.#does("asking");
    this.#behindMs = behindMs;
    this.#sinceAnswerMs = 0;
    this.#failures = 0;
    if (this.#answersInTurn === 0) this.#inTurnMs = 0;
    this.#throttlesInTurn = 0;
    this.#answersInTurn += 1;
    this.#answers = [(this.#answers[0] ?? 0) + 1, this.#answers[1] ?? 0];
    this.#caughtUp = records === 0 && behindMs === 0;
    const least = this.#leastBehindMs;
    if (records > 0 || behindMs === 0 || (least !== undefined && behindMs < least)) this.#advanced();
    else this.#stagnantAnswers += 1;
    this.#leastBehindMs = Math.min(least ?? behindMs, behindMs);
    if (records > 0) this.#leastBehindMs = behindMs;
  }

  throttled(): void {
    this.#does("asking");
    if (this.#throttlesInTurn === 0) this.#inTurnMs = 0;
    this.#answersInTurn = 0;
    this.#throttlesInTurn += 1;
    this.#throttles = [(this.#throttles[0] ?? 0) + 1, this.#throttles[1] ?? 0];
  }

  failed(): void {
    this.#does("asking");
    if (this.#failures === 0) this.#failingMs = 0;
    this.#failures += 1;
  }

  cutOff(): void {
    this.#does("asking");
    this.#restarts += 1;
  }

  /**
   * How far behind the newest record of the shard the reader is, milliseconds: as of the last answer, and growing once that is older
   * than ten seconds. `undefined`: there was no answer yet, so it is unknown.
   */
  get behindMs(): number | undefined {
    if (this.#behindMs === undefined) return undefined;
    return this.#sinceAnswerMs > freshMs ? this.#behindMs + this.#sinceAnswerMs : this.#behindMs;
  }

  /** Restarts since it last got any further. */
  get restarts(): number {
    return this.#restarts;
  }

  get state(): ReaderState {
    if (this.#doing === "held-back" && this.#heldBackMs >= heldBackMs) return "held-back";
    if (this.#doing === "waiting") return "waiting";
    if (this.#restarts > 0) return "stuck";
    if (this.#doing === "calling") return "waiting";
    if (this.#failures >= leastFailures && this.#failingMs >= failingMs) return "failing";
    if (this.#isStarved()) return "starved";
    return this.#caughtUp ? "idle" : "reading";
  }

  /**
   * Counts the time since the last look.
   *
   * @param nowMs monotonic.
   * @returns what has to be done now; a restart is counted as made.
   */
  look(nowMs: number): Remedy {
    this.#sinceAnswerMs += nowMs - this.#lookedMs;
    const ms = Math.min(nowMs - this.#lookedMs, longestStepMs);
    this.#lookedMs = nowMs;
    this.#passWindow(ms);
    this.#inTurnMs += ms;
    if (this.#doing === "held-back") this.#heldBackMs += ms;
    if (this.#doing === "held-back" || this.#doing === "waiting") return "none";
    this.#silentMs += ms;
    this.#stagnantMs += ms;
    this.#standingMs += ms;
    this.#failingMs += ms;
    return this.#remedy();
  }

  #isStarved(): boolean {
    if (this.#inTurnMs >= inTurnMs) {
      if (this.#throttlesInTurn >= leastThrottles) return true;
      if (this.#answersInTurn >= leastThrottles) return false;
    }
    const throttles = sum(this.#throttles);
    return throttles >= leastThrottles && throttles >= sum(this.#answers);
  }

  #remedy(): Remedy {
    const overdue = this.#standingMs >= giveUpMs;
    if (this.#restarts > maxRestarts) return overdue ? "give-up" : "none";
    const patience = this.#restarts === 0 ? patienceMs : patienceAfterRestartMs;
    const silent = this.#silentMs >= patience + this.#restMs;
    const stagnant = this.#stagnantMs >= patience && this.#stagnantAnswers >= leastStagnantAnswers;
    if (!silent && !stagnant) return "none";
    if (this.#restarts === maxRestarts) return overdue ? "give-up" : "none";
    this.#restarts += 1;
    this.#startAnew();
    return "restart";
  }

  #does(doing: Doing): void {
    this.#doing = doing;
    this.#silentMs = 0;
    this.#restMs = 0;
  }

  #advanced(): void {
    this.#restarts = 0;
    this.#standingMs = 0;
    this.#stagnantMs = 0;
    this.#stagnantAnswers = 0;
  }

  #startAnew(): void {
    this.#does("asking");
    this.#stagnantMs = 0;
    this.#stagnantAnswers = 0;
    // It opens the shard where the last record was: it may be farther behind again.
    this.#leastBehindMs = undefined;
  }

  #passWindow(ms: number): void {
    this.#windowMs += ms;
    if (this.#windowMs < throttleWindowMs) return;
    this.#windowMs = 0;
    this.#throttles = [0, this.#throttles[0] ?? 0];
    this.#answers = [0, this.#answers[0] ?? 0];
  }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
