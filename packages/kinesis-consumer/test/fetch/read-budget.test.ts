import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Grant, ReadBudget } from "../../src/fetch/read-budget.ts";

const never = new AbortController().signal;

describe("ReadBudget", () => {
  it("never gives out more records than there is room for, and serves everyone in the end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 })), {
          maxLength: 30,
        }),
        async (maxRecords, wants) => {
          const budget = new ReadBudget({ maxRecords, maxBytes: 1_000 });
          const given: Grant[] = [];
          const waiting = wants.map(([wanted, recordBytes]) =>
            budget.acquire(wanted, recordBytes, never).then((grant) => {
              expect(grant.records).toBeGreaterThan(0);
              expect(grant.records).toBeLessThanOrEqual(wanted);
              given.push(grant);
            }),
          );
          for (let served = 0; served < wants.length; served += 1) {
            expect(budget.used.records).toBeLessThanOrEqual(maxRecords);
            await Promise.resolve();
            const grant = given.shift();
            if (grant !== undefined) budget.release(grant.records, grant.bytes);
          }
          await Promise.race([Promise.all(waiting), drain(budget, given)]);
          for (const grant of given) budget.release(grant.records, grant.bytes);
          expect(budget.used).toEqual({ records: 0, bytes: 0 });
        },
      ),
    );
  });

  it("keeps the order of those who wait, whatever they want", async () => {
    const budget = new ReadBudget({ maxRecords: 10, maxBytes: 1_000 });
    const first = await budget.acquire(10, 1, never);
    const served: string[] = [];
    const large = budget.acquire(10, 1, never).then(() => served.push("large"));
    const small = budget.acquire(1, 1, never).then(() => served.push("small"));
    budget.release(4, 4);
    await Promise.resolve();
    expect(served).toEqual([]);
    budget.release(first.records - 4, first.bytes - 4);
    await Promise.all([large, small]);
    expect(served).toEqual(["large", "small"]);
  });

  it("sets nothing aside for someone who gave up waiting", async () => {
    const budget = new ReadBudget({ maxRecords: 1, maxBytes: 1_000 });
    const first = await budget.acquire(1, 1, never);
    const stop = new AbortController();
    const second = budget.acquire(1, 1, stop.signal);
    const third = budget.acquire(1, 1, never);
    stop.abort(new Error("stopped"));
    await expect(second).rejects.toThrow("stopped");
    budget.release(first.records, first.bytes);
    expect(await third).toEqual({ records: 1, bytes: 1 });
  });

  it("asks for fewer records when they are large", async () => {
    const budget = new ReadBudget({ maxRecords: 10_000, maxBytes: 32 * 1_048_576 });
    expect((await budget.acquire(10_000, 1_048_576, never)).records).toBe(16);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses room for %d records", (maxRecords) => {
    expect(() => new ReadBudget({ maxRecords, maxBytes: 1 })).toThrow(RangeError);
  });
});

/** Gives back what was given until nobody waits. */
async function drain(budget: ReadBudget, given: Grant[]): Promise<never> {
  for (;;) {
    const grant = given.shift();
    if (grant !== undefined) budget.release(grant.records, grant.bytes);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
