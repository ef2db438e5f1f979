import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Grant, ReadBudget } from "../../src/fetch/read-budget.ts";

const never = new AbortController().signal;
const hungry = { wanted: 10_000, expected: 10_000, recordBytes: 1 };

/** A budget whose `maxRecords` records wait already. */
async function fullBudget(maxRecords: number): Promise<ReadBudget> {
  const budget = new ReadBudget({ maxRecords, maxBytes: 1_000 });
  const grant = await budget.acquire(hungry, never);
  await budget.admit(grant, { records: maxRecords, bytes: maxRecords }, never);
  return budget;
}

/** Lets the promises that are settled reach who waits for them. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Step {
  readonly what: "ask" | "answer" | "take" | "throw away";
  readonly hungry: boolean;
  readonly count: number;
  readonly part: number;
}

/** Readers with one call each at most, and a host, which use a budget. */
class BudgetUsers {
  readonly budget: ReadBudget;
  readonly #readers: { asking: boolean; grant: Grant | undefined }[];
  #beside = 0;
  #waiting = 0;

  constructor(maxRecords: number, readers: number) {
    this.budget = new ReadBudget({ maxRecords, maxBytes: 1_000_000 });
    this.#readers = Array.from({ length: readers }, () => ({ asking: false, grant: undefined }));
  }

  /** What is in the queue. */
  get waiting(): number {
    return this.#waiting;
  }

  /** What is fetched, and what the calls under way may bring. */
  get most(): number {
    const here = this.#waiting + this.#beside;
    return this.#readers.reduce((sum, { grant }) => sum + (grant?.records ?? 0), here);
  }

  get asking(): number {
    return this.#readers.filter(({ asking }) => asking).length;
  }

  do({ what, hungry: isHungry, count, part }: Step): void {
    const reader = Math.floor(part * this.#readers.length);
    if (what === "ask") this.#ask(reader, isHungry ? 10_000 : count);
    else if (what === "answer") this.#answer(reader, isHungry ? 1 : part);
    else if (what === "take") this.take(count);
    else this.#throwAway(Math.floor(this.#waiting * part));
  }

  /** Every call ends without a record. */
  answerAll(): void {
    for (const reader of this.#readers.keys()) this.#answer(reader, 0);
  }

  take(count: number): void {
    for (let left = Math.min(count, this.#waiting); left > 0; left -= 1) {
      this.budget.release(10);
      this.#waiting -= 1;
    }
  }

  #ask(place: number, expected: number): void {
    const reader = this.#readers[place];
    if (reader === undefined || reader.asking || reader.grant !== undefined) return;
    const wanted = Math.min(10_000, this.budget.withSpare(expected));
    reader.asking = true;
    void this.budget.acquire({ wanted, expected, recordBytes: 10 }, never).then((grant) => {
      expect(grant.records).toBeGreaterThan(0);
      expect(grant.records).toBeLessThanOrEqual(wanted);
      reader.asking = false;
      reader.grant = grant;
    });
  }

  #answer(place: number, part: number): void {
    const reader = this.#readers[place];
    if (reader?.grant === undefined) return;
    const records = Math.round(reader.grant.records * part);
    const came = this.budget.admit(reader.grant, { records, bytes: records * 10 }, never);
    reader.grant = undefined;
    // A reader asks again once its records are in the queue.
    reader.asking = true;
    this.#beside += records;
    void came.then(() => {
      reader.asking = false;
      this.#beside -= records;
      this.#waiting += records;
    });
  }

  #throwAway(records: number): void {
    this.budget.discard({ records, bytes: records * 10 });
    this.#waiting -= records;
  }
}

describe("ReadBudget", () => {
  it("has no more records waiting and under way than documented, whatever happens, and serves each reader in the end", async () => {
    const step = fc.record({
      what: fc.constantFrom<Step["what"][]>("ask", "ask", "answer", "take", "throw away"),
      hungry: fc.boolean(),
      count: fc.integer({ min: 0, max: 200 }),
      part: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    });
    const sizes = fc.integer({ min: 1, max: 300 });
    const readerCounts = fc.integer({ min: 1, max: 12 });
    await fc.assert(
      fc.asyncProperty(
        sizes,
        readerCounts,
        fc.array(step, { maxLength: 150 }),
        async (size, readers, steps) => {
          const users = new BudgetUsers(size, readers);
          const most = size + Math.ceil(size / 2) * (readers + 1) + 64 * readers;
          for (const one of steps) {
            users.do(one);
            await settled();
            expect(users.waiting).toBeLessThanOrEqual(size);
            expect(users.most).toBeLessThanOrEqual(most);
          }
          for (let round = 0; round <= 2 * readers; round += 1) {
            users.answerAll();
            users.take(Number.POSITIVE_INFINITY);
            await settled();
          }
          expect(users.asking).toBe(0);
          users.answerAll();
          expect(users.budget.used).toEqual({ records: 0, bytes: 0 });
        },
      ),
    );
  }, 60_000);

  it("begins no call while as many records wait as it has room for", async () => {
    const budget = await fullBudget(10);
    let served = false;
    const next = budget.acquire({ wanted: 1, expected: 0, recordBytes: 1 }, never).then((grant) => {
      served = true;
      return grant;
    });
    await settled();
    expect(served).toBe(false);
    budget.release(1);
    expect((await next).records).toBe(1);
  });

  it("serves those who wait in their order, whatever they want", async () => {
    const budget = await fullBudget(10);
    const served: string[] = [];
    const large = budget.acquire(hungry, never).then(() => served.push("large"));
    const small = budget
      .acquire({ ...hungry, wanted: 1, expected: 1 }, never)
      .then(() => served.push("small"));
    budget.release(1);
    await settled();
    expect(served).toEqual([]);
    for (let taken = 0; taken < 9; taken += 1) budget.release(1);
    await Promise.all([large, small]);
    expect(served).toEqual(["large", "small"]);
  });

  it("holds nothing for a reader that stopped waiting", async () => {
    const budget = await fullBudget(1);
    const stop = new AbortController();
    const second = budget.acquire(hungry, stop.signal);
    const third = budget.acquire(hungry, never);
    stop.abort(new Error("stopped"));
    await expect(second).rejects.toThrow("stopped");
    budget.release(1);
    expect((await third).records).toBe(1);
    expect(budget.used).toEqual({ records: 1, bytes: 1 });
  });

  it("grants a call although calls that do not end hold all of the room, as long as nothing waits", async () => {
    const budget = new ReadBudget({ maxRecords: 1_000, maxBytes: 1_000_000 });
    const grants = await Promise.all(Array.from({ length: 100 }, () => budget.acquire(hungry, never)));
    const records = grants.map((grant) => grant.records);
    expect(records.slice(0, 2)).toEqual([1_000, 63]);
    expect(Math.min(...records)).toBe(63);
  });

  it("asks for fewer records when they are large, and for two mebibytes at most", async () => {
    const budget = new ReadBudget({ maxRecords: 10_000, maxBytes: 32 * 1_048_576 });
    const grants = await Promise.all(
      Array.from({ length: 12 }, () => budget.acquire({ ...hungry, recordBytes: 262_144 }, never)),
    );
    expect(grants.map((grant) => grant.records)).toEqual([8, 8, 8, 8, 8, 8, 8, 8, 7, 6, 5, 5]);
    expect(budget.used.bytes).toBeLessThanOrEqual(32 * 1_048_576);
  });

  it.each([
    { why: "as many wait as it has room for", records: 3, bytes: 3, until: 3 },
    { why: "there is no room for their bytes", records: 1, bytes: 995, until: 5 },
  ])("makes records that are here wait while $why", async ({ records, bytes, until }) => {
    const budget = await fullBudget(10);
    let joined = false;
    const more = budget.admit(undefined, { records, bytes }, never).then(() => {
      joined = true;
    });
    for (let taken = 0; taken < until; taken += 1) {
      await settled();
      expect(joined).toBe(false);
      expect(budget.used.bytes).toBe(10 - taken + bytes);
      budget.release(1);
    }
    await more;
    expect(budget.used).toEqual({ records: 10 - until + records, bytes: 10 - until + bytes });
  });

  it("counts records no more whose reader stopped before they joined the queue", async () => {
    const budget = await fullBudget(10);
    const stop = new AbortController();
    const more = budget.admit(undefined, { records: 3, bytes: 3 }, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(more).rejects.toThrow("stopped");
    expect(budget.used).toEqual({ records: 10, bytes: 10 });
  });

  it("counts a call once that is ended twice", async () => {
    const budget = new ReadBudget({ maxRecords: 10, maxBytes: 100 });
    const grant = await budget.acquire(hungry, never);
    budget.cancel(grant);
    budget.cancel(grant);
    expect(budget.used).toEqual({ records: 0, bytes: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN])("rejects room for %d records", (maxRecords) => {
    expect(() => new ReadBudget({ maxRecords, maxBytes: 1 })).toThrow(RangeError);
  });
});
