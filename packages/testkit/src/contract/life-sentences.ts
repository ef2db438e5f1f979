import assert from "node:assert/strict";
import { getActiveResourcesInfo } from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import { TestClock } from "../test-clock.ts";
import { ContractHost } from "./contract-host.ts";
import type { ContractStage } from "./contract-stage.ts";
import type { Sentence } from "./sentence.ts";

const lives = 10;

/** How a source begins and ends. */
export const lifeSentences: readonly Sentence[] = [
  {
    says: "open and close ten times leave no handle, socket or timer",
    needs: [],
    async check(stage) {
      // The first may load and keep what all others use.
      await (await ContractHost.start(stage)).stop();
      const before = await quietResources(stage);
      for (let life = 0; life < lives; life += 1) await (await ContractHost.start(stage)).stop();
      let left: readonly string[] = [];
      await stage.until(() => {
        left = beyond(before, resources(stage));
        return left.length === 0;
      });
      assert.deepEqual(left, [], `left after ${lives} lives: ${left.join(", ")}`);
    },
  },
  {
    says: "close ends within its deadline, also during open",
    needs: [],
    async check(stage) {
      const host = await ContractHost.start(stage);
      await host.stop();
      const stop = new AbortController();
      const source = stage.newSource();
      const opening = source.open(
        stage.config(),
        stage.context(stop.signal, () => undefined),
      );
      stop.abort(new Error("the contract suite stops while it opens"));
      const closing = source.close();
      opening.catch(() => undefined); // that it was stopped
      assert.ok((await stage.within(closing)) !== undefined, "close did not end while open was running");
      assert.ok(
        (await stage.within(source.close())) !== undefined,
        "close did not end when it was called again",
      );
    },
  },
  {
    says: "an aborted read rejects",
    needs: [],
    async check(stage) {
      const stop = new AbortController();
      const source = stage.newSource();
      await stage.within(
        source.open(
          stage.config(),
          stage.context(stop.signal, () => undefined),
        ),
      );
      const reason = new Error("the contract suite stops reading");
      const read = readToTheEnd(() => source.read());
      await stage.pass();
      stop.abort(reason);
      const outcome = await stage.within(read);
      await stage.within(source.close());
      assert.ok(outcome !== undefined, "read did not notice that the signal was aborted");
      assert.equal(outcome.value, reason, "read rejected with something else than the reason of the signal");
    },
  },
];

/** Reads until it rejects; answers with what. */
async function readToTheEnd(read: () => Promise<unknown>): Promise<unknown> {
  try {
    for (;;) {
      await read();
      await nextTurn(); // a source that always has a record must not keep the loop to itself
    }
  } catch (error) {
    return error;
  }
}

/** What is open when nothing more is being closed. */
async function quietResources<C>(stage: ContractStage<C>): Promise<readonly string[]> {
  let last = resources(stage);
  for (let same = 0; same < 20; ) {
    await stage.pass();
    const now = resources(stage);
    same = now.join() === last.join() ? same + 1 : 0;
    last = now;
  }
  return last;
}

function resources<C>({ clock }: ContractStage<C>): readonly string[] {
  const sleepers = clock instanceof TestClock ? clock.sleepers : 0;
  const asleep = Array.from({ length: sleepers }, () => "sleep of the clock");
  // Immediates are how turns of the loop are waited for.
  return [...getActiveResourcesInfo().filter((name) => name !== "Immediate"), ...asleep].sort();
}

function beyond(before: readonly string[], after: readonly string[]): readonly string[] {
  const rest = [...after];
  for (const name of before) {
    const place = rest.indexOf(name);
    if (place >= 0) rest.splice(place, 1);
  }
  return rest;
}
