import assert from "node:assert/strict";
import { getActiveResourcesInfo } from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Source } from "@pulsar-ts-io/core";
import { TestClock } from "../test-clock.ts";
import { ContractHost } from "./contract-host.ts";
import type { ContractStage } from "./contract-stage.ts";
import type { Sentence } from "./sentence.ts";

const lives = 10;
const someRecords = 20;
/** How long sources are let open before they are closed: not at all, a little, longer. */
const passesBeforeClose = [0, 1, 5];
const stopReading = new Error("the contract suite stops reading");

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
      await expectNothingBeyond(before, stage, `after ${lives} lives`);
    },
  },
  {
    says: "close ends within its deadline, also during open",
    needs: [],
    async check(stage) {
      await (await ContractHost.start(stage)).stop();
      const before = await quietResources(stage);
      for (const passes of passesBeforeClose) await closeWhileOpening(stage, passes);
      await expectNothingBeyond(before, stage, "after close while open was running");
    },
  },
  {
    says: "an aborted read rejects",
    needs: [],
    async check(stage) {
      const waiting = await open(stage);
      const reads = readToTheEnd(waiting.source);
      await stage.pass();
      waiting.stop.abort(stopReading);
      await expectStopped(stage, reads);
      await stage.within(waiting.source.close());
      if (!stage.settings.capabilities.producible) return;
      await stage.bring(someRecords);
      const full = await open(stage);
      await stage.within(full.source.read());
      await stage.pass();
      full.stop.abort(stopReading);
      const next = full.source.read().then(
        () => "it handed out another record",
        (error: unknown) => error,
      );
      await expectStopped(stage, next);
      await stage.within(full.source.close());
    },
  },
];

async function closeWhileOpening<C>(stage: ContractStage<C>, passes: number): Promise<void> {
  const stop = new AbortController();
  const source = stage.newSource();
  const opening = source.open(stage.config(), stage.context(stop.signal));
  const opened = opening.then(
    () => true,
    () => true, // that it was stopped
  );
  for (let pass = 0; pass < passes; pass += 1) await stage.pass();
  stop.abort(new Error("the contract suite stops while it opens"));
  const closing = source.close();
  assert.ok((await stage.within(closing)) !== undefined, "close did not end while open was running");
  assert.ok((await stage.within(opened)) !== undefined, "open did not end when the source was stopped");
  assert.ok((await stage.within(source.close())) !== undefined, "close did not end when it was called again");
}

interface OpenSource {
  readonly source: Pick<Source<never>, "read" | "close">;
  readonly stop: AbortController;
}

async function open<C>(stage: ContractStage<C>): Promise<OpenSource> {
  const stop = new AbortController();
  const source = stage.newSource();
  await stage.within(source.open(stage.config(), stage.context(stop.signal)));
  return { source, stop };
}

/** Reads until it rejects; answers with what. */
async function readToTheEnd(source: Pick<Source<never>, "read">): Promise<unknown> {
  try {
    for (;;) {
      await source.read();
      await nextTurn(); // a source that always has a record must not keep the loop to itself
    }
  } catch (error) {
    return error;
  }
}

/** @param ended what a read ended with. */
async function expectStopped<C>(stage: ContractStage<C>, ended: Promise<unknown>): Promise<void> {
  const outcome = await stage.within(ended);
  assert.ok(outcome !== undefined, "read did not notice that the signal was aborted");
  assert.equal(outcome.value, stopReading, "read did not reject with the reason of the signal");
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

async function expectNothingBeyond<C>(
  before: readonly string[],
  stage: ContractStage<C>,
  when: string,
): Promise<void> {
  let left: readonly string[] = [];
  await stage.until(() => {
    left = beyond(before, resources(stage));
    return left.length === 0;
  });
  assert.deepEqual(left, [], `left ${when}: ${left.join(", ")}`);
}

function beyond(before: readonly string[], after: readonly string[]): readonly string[] {
  const rest = [...after];
  for (const name of before) {
    const place = rest.indexOf(name);
    if (place >= 0) rest.splice(place, 1);
  }
  return rest;
}
