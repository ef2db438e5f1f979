import assert from "node:assert/strict";
import type { SourceRecord } from "@pulsar-ts-io/core";
import { MessageRefusedError } from "@pulsar-ts-io/pulsar";
import { ContractHost } from "./contract-host.ts";
import type { ContractStage } from "./contract-stage.ts";
import { missing, some, textOf } from "./numbered-records.ts";
import { NumbersOfRecords } from "./numbers-of-records.ts";
import type { Sentence } from "./sentence.ts";
import { strongestGuarantee } from "./strongest-guarantee.ts";

const someRecords = 60;
const manyRecords = 200;
const failedSends = 3;
const mebibyte = 1024 * 1024;

/** What becomes of records. */
export const deliverySentences: readonly Sentence[] = [
  {
    says: "reads everything once and in order per partition",
    needs: ["producible", "keys"],
    async check(stage) {
      let produced = await stage.bring(someRecords);
      const host = await ContractHost.start(stage);
      await stage.until(() => stage.stored().length >= produced.length);
      // What comes while it reads; who makes its records has made them all.
      if (stage.settings.capabilities.producible) produced = await stage.bring(someRecords);
      await stage.until(() => stage.stored().length >= produced.length);
      await host.stop();
      assert.equal(host.failure, undefined);
      for (const key of new Set(produced.map((record) => record.key))) {
        const expected = produced.filter((record) => record.key === key);
        const stored = stage.stored().filter((message) => message.key === key);
        assert.deepEqual(stored.map(textOf), expected.map(textOf), `records of ${key}`);
      }
    },
  },
  {
    says: "a record has one number in all lives, and a later one of its partition a larger one",
    needs: [],
    async check(stage) {
      stage.guarantee = await strongestGuarantee(stage);
      const { replayable } = stage.settings.capabilities;
      if (!stage.canBring) {
        new NumbersOfRecords(false).see(await readSome(stage));
        return;
      }
      const numbers = new NumbersOfRecords(replayable);
      await stage.bring(someRecords);
      if (replayable) numbers.see(await readAndKilled(stage));
      numbers.see(await readSome(stage));
      await stage.bring(someRecords);
      numbers.see(await readSome(stage));
    },
  },
  {
    says: "every byte value, an empty value and 1 MiB arrive intact",
    needs: ["producible", "anyBytes"],
    async check(stage) {
      const allBytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const large = Uint8Array.from({ length: mebibyte }, (_, index) => (index * 31) & 0xff);
      const values = [
        ...Array.from(allBytes, (byte) => Uint8Array.of(byte)),
        allBytes,
        large,
        new Uint8Array(),
      ];
      await stage.produce(values.map((value, index) => ({ key: `key-${index}`, value })));
      const host = await ContractHost.start(stage);
      await stage.until(() => stage.stored().length >= values.length);
      await host.stop();
      const hex = (all: readonly Uint8Array[]) =>
        all.map((value) => Buffer.from(value).toString("hex")).sort();
      const arrived = hex(stage.stored().map(({ value }) => value));
      const expected = hex(values);
      const damaged = arrived
        .filter((value, index) => value !== expected[index])
        .map((value) => value.slice(0, 20));
      assert.deepEqual(damaged, [], "values that were not put");
      assert.equal(arrived.length, expected.length, "values that arrived");
    },
  },
  {
    says: "acknowledgements out of order never move the position past a gap",
    needs: ["producible", "replayable"],
    async check(stage) {
      const produced = await stage.bring(20);
      const left = await readByHand(stage, produced.length, (records) => {
        const open = records[Math.floor(records.length / 2)];
        for (const record of [...records].reverse()) if (record !== open) record.ack();
        return open === undefined ? "" : textOf(open);
      });
      const host = await ContractHost.start(stage);
      await stage.until(() => stage.stored().some((message) => textOf(message) === left));
      await host.stop();
      const again = stage.stored().map(textOf);
      assert.ok(again.includes(left), `${left} was never acknowledged, and did not come again`);
    },
  },
  {
    says: "k failed sends, then recovery, lose nothing",
    needs: ["producible", "replayable"],
    async check(stage) {
      const produced = await stage.bring(someRecords);
      const victim = textOf(produced[someRecords >> 1] ?? { value: new Uint8Array() });
      let failures = 0;
      stage.failSend = (value) => {
        if (failures >= failedSends || textOf({ value }) !== victim) return undefined;
        failures += 1;
        return new MessageRefusedError("the contract suite refuses this message");
      };
      for (let start = 0; start <= failedSends; start += 1) {
        const host = await ContractHost.start(stage);
        await stage.until(() => host.failure !== undefined || missing(produced, stage.stored()).length === 0);
        await host.stop();
      }
      const lost = missing(produced, stage.stored());
      assert.deepEqual(lost, [], `lost after ${failures} failed sends: ${some(lost)}`);
    },
  },
  {
    says: "killed at random points, nothing is lost",
    needs: ["producible", "replayable"],
    async check(stage) {
      const produced = await stage.bring(manyRecords);
      const { kills } = stage.settings;
      let random = 1;
      for (let kill = 0; kill < kills; kill += 1) {
        // The multiplier of a linear congruential generator: the same points in every run.
        random = (random * 48_271) % 0x7fffffff;
        await killAfter(stage, random % (Math.ceil((2 * manyRecords) / kills) + 1));
      }
      const host = await ContractHost.start(stage);
      await stage.until(() => missing(produced, stage.stored()).length === 0);
      await host.stop();
      const lost = missing(produced, stage.stored());
      assert.deepEqual(lost, [], `lost after ${kills} kills: ${some(lost)}`);
    },
  },
  {
    says: "a clean restart replays nothing",
    needs: ["producible", "replayable"],
    async check(stage) {
      // No round number: a source may store every tenth position or so, and forget the last one.
      const early = await stage.bring(someRecords - 7);
      const first = await ContractHost.start(stage);
      await stage.until(() => first.acknowledged >= early.length);
      await first.stop();
      const produced = await stage.bring(someRecords + 7);
      const second = await ContractHost.start(stage);
      await stage.until(() => second.acknowledged > 0);
      await second.stop();
      const third = await ContractHost.start(stage);
      await stage.until(() => stage.stored().length >= produced.length);
      await third.stop();
      const arrived = stage.stored().map(textOf);
      const repeated = arrived.filter((text, index) => arrived.indexOf(text) !== index);
      assert.deepEqual(repeated, [], `published again after a clean stop: ${some(repeated)}`);
      assert.deepEqual(missing(produced, stage.stored()), []);
    },
  },
];

/** Opens a source, reads `count` records, lets `use` settle them, and closes it. */
async function readByHand<C, T>(
  stage: ContractStage<C>,
  count: number,
  use: (records: readonly SourceRecord[]) => T,
): Promise<T> {
  const stop = new AbortController();
  const source = stage.newSource();
  await stage.within(
    source.open(
      stage.config(),
      stage.context(stop.signal, (error) => stop.abort(error)),
    ),
  );
  const records: SourceRecord[] = [];
  while (records.length < count) {
    const read = await stage.within(source.read());
    assert.ok(read !== undefined, `read ${records.length} of ${count} records, then nothing`);
    records.push(read.value);
  }
  const outcome = use(records);
  stop.abort(new Error("the contract suite stops reading"));
  await stage.within(source.close());
  return outcome;
}

/** Runs until `count` more were acknowledged, lets more be read that never will be, and ends there. */
async function killAfter<C>(stage: ContractStage<C>, count: number): Promise<void> {
  const host = await ContractHost.start(stage);
  const idle = idleness(() => host.read.length);
  await stage.until(() => host.acknowledged >= count || idle());
  stage.transport.hold();
  const stillIdle = idleness(() => host.read.length);
  await stage.until(stillIdle);
  await host.kill();
  stage.transport.release();
}

/** A life that reads as many records as are brought at once, or more, and ends in good order. */
async function readSome<C>(stage: ContractStage<C>): Promise<readonly SourceRecord[]> {
  const host = await ContractHost.start(stage);
  await stage.until(() => host.read.length >= someRecords);
  await host.stop();
  assert.ok(host.read.length >= someRecords, `read ${host.read.length} of ${someRecords} records`);
  return host.read;
}

/** Reads until there is nothing more, without one acknowledgement, and ends there. */
async function readAndKilled<C>(stage: ContractStage<C>): Promise<readonly SourceRecord[]> {
  stage.transport.hold();
  const host = await ContractHost.start(stage);
  await stage.until(() => host.read.length > 0);
  await stage.until(idleness(() => host.read.length));
  await host.kill();
  stage.transport.release();
  return host.read;
}

/** Whether a number has stood still when it was asked for some times. */
function idleness(number: () => number): () => boolean {
  let last = number();
  let times = 0;
  return () => {
    times = number() === last ? times + 1 : 0;
    last = number();
    return times >= 20;
  };
}
