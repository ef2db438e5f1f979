import { describe, expect, it, vi } from "vitest";
import type { AggregateHandling } from "../src/consumer-options.ts";
import { resetLeases } from "../src/tools/reset-leases.ts";
import { aggregateOf } from "./support/kpl-encoder.ts";
import { NumberedRig, numbersOf, partitionOf } from "./support/numbered-rig.ts";
import { idOf, textsOf, unavailable, type Worker } from "./support/rig.ts";
import { portsOf } from "./support/tool-ports.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("the records of a shard are numbered anew", () => {
  it("when a worker of Java's took the lease and stored a checkpoint, and then as before from crash to crash", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.readOnce(10);
    rig.put(5);
    const byJava = { sequenceNumber: rig.placed[11]?.sequenceNumber ?? 0n, subSequenceNumber: 0 };
    rig.change({ checkpoint: { kind: "after", ...byJava } });
    const second = await rig.readAndDie(3);
    expect(numbersOf(second.records)).toEqual([0, 1, 2]);
    expect(rig.epochs("checkpoint-moved")).toBe(1);
    const third = await rig.readOnce(3);
    expect(numbersOf(third.records)).toEqual([0, 1, 2]);
    expect(partitionOf(second, third)).not.toBe(partitionOf(first));
    expect(textsOf(third.records)).toEqual(["12", "13", "14"]);
    expect(rig.epochs()).toBe(2);
    const [, line] = rig.logger.linesOf("the records of a shard are numbered from 0");
    expect(line).toMatchObject({ level: "info", fields: { shardId: idOf(0), why: "checkpoint-moved" } });
  });

  it("when that checkpoint is another one inside of the same aggregate", async () => {
    const rig = new NumberedRig();
    const inner = ["0", "1", "2", "3", "4"].map((text) => ({
      partitionKey: "inner",
      explicitHashKey: 0n,
      data: Buffer.from(text),
    }));
    rig.putBytes(aggregateOf(inner), "outer");
    const first = await rig.publishing({}, (record) => record.subSequenceNumber < 2);
    await rig.until(() => first.records.length === 5);
    await rig.pass(75_000);
    first.kill();
    expect(rig.lease()?.checkpoint).toMatchObject({ subSequenceNumber: 1 });
    const sequenceNumber = rig.placed[0]?.sequenceNumber ?? 0n;
    rig.change({ checkpoint: { kind: "after", sequenceNumber, subSequenceNumber: 2 } });
    const second = await rig.readOnce(2);
    expect(textsOf(second.records)).toEqual(["3", "4"]);
    expect(numbersOf(second.records)).toEqual([0, 1]);
    expect(partitionOf(second)).not.toBe(partitionOf(first));
  });

  it("but not when it took the lease and stored none", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.readOnce(10);
    rig.change({ owner: "java", counter: 900 });
    rig.put(2);
    const second = await rig.readOnce(2);
    expect(numbersOf(second.records)).toEqual([10, 11]);
    partitionOf(first, second);
  });

  it("when one of ours that does not number has read on in between", async () => {
    const rig = new NumberedRig();
    rig.put(5);
    const first = await rig.readOnce(5);
    rig.put(5);
    const other = await rig.start();
    await rig.until(() => other.records.length === 5);
    await rig.close(other);
    rig.put(5);
    const second = await rig.readOnce(5);
    expect(numbersOf(second.records)).toEqual([0, 1, 2, 3, 4]);
    expect(partitionOf(second)).not.toBe(partitionOf(first));
  });

  it("when the record at the checkpoint was trimmed, and then as before from crash to crash", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.readOnce(10);
    rig.put(5);
    rig.stream.trim(idOf(0), 12);
    const second = await rig.readAndDie(3);
    expect(textsOf(second.records)).toEqual(["12", "13", "14"]);
    expect(numbersOf(second.records)).toEqual([0, 1, 2]);
    expect(rig.epochs("record-gone")).toBe(1);
    const third = await rig.readOnce(3);
    expect(numbersOf(third.records)).toEqual([0, 1, 2]);
    expect(partitionOf(second, third)).not.toBe(partitionOf(first));
  });

  it("when the first record of an epoch was trimmed before anything was stored", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.readAndDie(10);
    rig.stream.trim(idOf(0), 4);
    const second = await rig.readOnce(6);
    expect(numbersOf(second.records)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(partitionOf(second)).not.toBe(partitionOf(first));
    expect(rig.epochs("record-gone")).toBe(1);
  });

  it("when Kinesis refuses the first record of an epoch of which nothing was stored", async () => {
    const rig = new NumberedRig();
    rig.put(3);
    const first = await rig.readAndDie(3);
    const numbering = rig.lease()?.numbering;
    if (numbering === undefined) throw new Error("nothing is numbered");
    rig.change({ numbering: { ...numbering, base: { kind: "anchor", sequenceNumber: "17" } } });
    const second = await rig.readOnce(3);
    expect(textsOf(second.records)).toEqual(textsOf(first.records));
    expect(partitionOf(second)).not.toBe(partitionOf(first));
    expect(rig.epochs("record-gone")).toBe(1);
  });

  it("when the time of the config is another one, and nothing was stored", async () => {
    const rig = new NumberedRig();
    const early = rig.clock.now();
    rig.put(3);
    await rig.pass(10_000);
    const late = rig.clock.now();
    rig.put(3);
    const first = await rig.readAndDie(3, { initialPosition: { kind: "at-timestamp", epochMs: late } });
    const second = await rig.readOnce(6, { initialPosition: { kind: "at-timestamp", epochMs: early } });
    expect(textsOf(second.records)).toHaveLength(6);
    expect(partitionOf(second)).not.toBe(partitionOf(first));
    expect(rig.epochs("checkpoint-moved")).toBe(1);
  });

  it.each<AggregateHandling>([{ kind: "keep" }, { kind: "split", filterByHashKey: false }])(
    "when aggregates are unpacked otherwise than before: %j",
    async (aggregates) => {
      const rig = new NumberedRig();
      rig.put(5);
      const first = await rig.readOnce(5);
      rig.put(5);
      const second = await rig.readOnce(5, { aggregates });
      expect(numbersOf(second.records)).toEqual([0, 1, 2, 3, 4]);
      expect(partitionOf(second)).not.toBe(partitionOf(first));
      expect(rig.epochs("aggregates-differ")).toBe(1);
      rig.put(1);
      const third = await rig.readOnce(1, { aggregates });
      expect(numbersOf(third.records)).toEqual([5]);
      partitionOf(second, third);
    },
  );

  it("when the lease was deleted, and created anew with the same counter", async () => {
    const rig = new NumberedRig();
    rig.put(5);
    const first = await rig.readOnce(5);
    rig.table.rows.clear();
    const second = await rig.readOnce(5);
    expect(numbersOf(second.records)).toEqual([0, 1, 2, 3, 4]);
    expect(partitionOf(second)).not.toBe(partitionOf(first));
  });

  it.each(["trim-horizon", "latest"] as const)(
    "when an operator has reset the leases to %s",
    async (kind) => {
      const rig = new NumberedRig();
      rig.put(5);
      const first = await rig.readOnce(5);
      const context = { clock: rig.clock, logger: rig.logger, signal: new AbortController().signal };
      const options = { streamName: "orders", applicationName: "orders-app", to: { kind } };
      await resetLeases(portsOf(rig), context, options);
      expect(rig.lease()?.numbering).toBeUndefined();
      const second = await rig.publishing();
      rig.put(5);
      await rig.until(() => second.records.length >= 5);
      await rig.close(second);
      expect(numbersOf(second.records)[0]).toBe(0);
      expect(partitionOf(second)).not.toBe(partitionOf(first));
    },
  );

  it("for each child of a shard that has ended, whose own numbers are gone with its end", async () => {
    const rig = new NumberedRig();
    rig.put(10);
    const first = await rig.publishing();
    await rig.until(() => first.records.length === 10);
    rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
    rig.put(20);
    await rig.until(() => rig.topic.stored.length === 30);
    expect(rig.lease()).toMatchObject({ checkpoint: { kind: "shard-end" }, numbering: undefined });
    for (const id of [idOf(1), idOf(2)]) {
      const own = first.records.filter((record) => record.shardId === id);
      expect(numbersOf(own)).toEqual(own.map((_record, index) => index));
    }
    expect(rig.epochs("none-stored")).toBe(3);
    await rig.close(first);
  });
});

describe("a new epoch", () => {
  it("is waited for before the first record is handed out, however long the table fails", async () => {
    const { rig, worker, fail } = await started();
    fail();
    rig.put(5);
    await rig.pass(8_000);
    expect(worker.records).toEqual([]);
    rig.table.before = () => {};
    await rig.until(() => worker.records.length === 5);
    expect(rig.epochs()).toBe(1);
    await rig.close(worker);
  });

  it("is the one that was stored when the answer to it was lost", async () => {
    const { rig, worker } = await started();
    let lost = 0;
    rig.table.lose = (method) => {
      if (method !== "write" || rig.lease()?.numbering === undefined || lost === 2) return undefined;
      lost += 1;
      return { kind: "failed", error: unavailable(), mayHaveLanded: true };
    };
    rig.put(5);
    await rig.until(() => worker.records.length === 5);
    expect(lost).toBe(2);
    expect(partitionOf(worker)).toBe(`orders-app/${idOf(0)}/${rig.lease()?.numbering?.epoch}`);
    expect(rig.epochs()).toBe(1);
    await rig.close(worker);
  });

  it("is not begun by one whose lease is another's by then, who goes on in his own", async () => {
    const { rig, worker, fail } = await started("a");
    fail();
    rig.put(5);
    await rig.pass(3_000);
    worker.kill();
    rig.table.before = () => {};
    const second = await rig.publishing({ instanceId: "b" });
    await rig.until(() => second.records.length === 5);
    expect(worker.records).toEqual([]);
    expect(partitionOf(second)).toContain(rig.lease()?.numbering?.epoch);
    await rig.close(second);
  });

  it("hands out nothing when the lease is lost while it is stored", async () => {
    const { rig, worker } = await started("a");
    rig.table.before = (method) => {
      if (method !== "write") return;
      rig.table.before = () => {};
      rig.change({ owner: "java" });
    };
    rig.put(5);
    await rig.until(() => rig.meter.value("pulsar_ts_io_kinesis_leases_lost_total") === 1);
    await rig.pass(3_000);
    expect(worker.records).toEqual([]);
    expect(rig.lease()).toMatchObject({ owner: "java", numbering: undefined });
    await rig.close(worker);
  });

  it("does not keep a reader whose write is not answered: the lease is lost with its time, and taken anew", async () => {
    const { rig, worker } = await started();
    let answer: (() => void) | undefined;
    rig.table.before = (method) => {
      if (method !== "write" || answer !== undefined) return undefined;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const put = rig.put(5);
    await rig.until(() => worker.records.length === 5);
    expect(textsOf(worker.records)).toEqual(put);
    answer?.();
    await rig.close(worker);
  });

  it("is stored once although the worker dies right after: the next one goes on in it", async () => {
    const { rig, worker } = await started("a");
    rig.table.stored = (_method, row) => {
      if (row.numbering !== undefined) worker.kill();
    };
    const put = rig.put(5);
    await rig.until(() => rig.lease()?.numbering !== undefined);
    rig.table.stored = () => {};
    expect(worker.records).toEqual([]);
    const epoch = rig.lease()?.numbering?.epoch;
    const second = await rig.publishing({ instanceId: "b" });
    await rig.until(() => second.records.length === 5);
    expect(textsOf(second.records)).toEqual(put);
    expect(partitionOf(second)).toBe(`orders-app/${idOf(0)}/${epoch}`);
    await rig.close(second);
  });
});

/** A worker that holds the lease of a shard with nothing in it. */
async function started(instanceId = "0"): Promise<{ rig: NumberedRig; worker: Worker; fail: () => void }> {
  const rig = new NumberedRig();
  const worker = await rig.publishing({ instanceId });
  await rig.until(() => rig.lease()?.owner !== undefined);
  await rig.pass(2_000);
  const fail = () => {
    rig.table.before = (method) => {
      if (method === "write") throw unavailable();
    };
  };
  return { rig, worker, fail };
}
