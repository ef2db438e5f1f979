import type { ReadBudget } from "./fetch/read-budget.ts";
import type { KinesisRecord } from "./kinesis-record.ts";
import { WakeUp } from "./wake-up.ts";

/** Whoever fetched a page: it is handed out only as long as he may. */
export interface PageOwner {
  /** Whether the shard's lease is still ours; asked before each record. */
  readonly live: boolean;
}

interface QueuedPage {
  readonly owner: PageOwner;
  /** Handed-out places are emptied: the payloads are the host's then. */
  readonly records: (KinesisRecord | undefined)[];
  readonly handedOut: () => void;
  next: number;
}

/** What was fetched and not yet read: pages in the order in which they came, each shard's in its own order. */
export class RecordQueue {
  readonly #budget: ReadBudget;
  readonly #filled = new WakeUp();
  readonly #pages: QueuedPage[] = [];
  #head = 0;

  constructor(budget: ReadBudget) {
    this.#budget = budget;
  }

  /**
   * Adds a page, whose room the budget has given already.
   *
   * @param handedOut called once the host has come back for more than this page had; not when it is thrown away.
   */
  push(records: KinesisRecord[], owner: PageOwner, handedOut: () => void = () => {}): void {
    if (records.length === 0) return;
    this.#pages.push({ owner, records, handedOut, next: 0 });
    this.#filled.wake();
  }

  /** The next record, if there is one. Pages of a lost shard are thrown away. */
  shift(): KinesisRecord | undefined {
    for (let page = this.#pages[this.#head]; page !== undefined; page = this.#pages[this.#head]) {
      const record = page.records[page.next];
      if (record !== undefined && page.owner.live) {
        page.records[page.next] = undefined;
        page.next += 1;
        this.#budget.release(record.data.byteLength);
        return record;
      }
      this.#discard(page);
      this.#nextPage();
    }
    return undefined;
  }

  /** Waits until something was added. */
  filled(signal: AbortSignal): Promise<void> {
    return this.#filled.wait(signal);
  }

  /** Wakes those who wait, so that they look for what else has happened. */
  wake(): void {
    this.#filled.wake();
  }

  /** Throws everything away. */
  clear(): void {
    for (const page of this.#pages.slice(this.#head)) this.#discard(page);
    this.#pages.length = 0;
    this.#head = 0;
  }

  /** Throws away the pages of those who may no longer have them handed out. */
  sweep(): void {
    for (const page of this.#pages.slice(this.#head)) {
      if (!page.owner.live) this.#discard(page);
    }
  }

  #discard(page: QueuedPage): void {
    let bytes = 0;
    const left = page.records.length - page.next;
    if (page.next > 0 && left === 0) page.handedOut();
    for (const record of page.records.slice(page.next)) bytes += record?.data.byteLength ?? 0;
    page.records.length = 0;
    page.next = 0;
    if (left > 0) this.#budget.discard({ records: left, bytes });
  }

  #nextPage(): void {
    this.#head += 1;
    if (this.#head === this.#pages.length) {
      this.#pages.length = 0;
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#pages.length) {
      this.#pages.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
