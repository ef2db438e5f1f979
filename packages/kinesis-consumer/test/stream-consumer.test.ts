import { describe, expect, it, vi } from "vitest";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

describe("StreamConsumer", () => {
  it("reads every record of every shard once, each shard's in order", async () => {
    const rig = new Rig(4);
    const put = rig.put(500);
    const worker = await rig.start();
    await rig.until(() => worker.records.length >= 500);
    expect(distinct(textsOf(worker.records))).toEqual(put);
    for (let shard = 0; shard < 4; shard += 1) {
      const numbers = worker.records
        .filter((record) => record.shardId === idOf(shard))
        .map((record) => BigInt(record.sequenceNumber));
      expect(numbers.length).toBeGreaterThan(50);
      expect(numbers).toEqual(numbers.toSorted((a, b) => (a < b ? -1 : 1)));
    }
    await rig.close(worker);
  });

  it("reads more shards than Node takes for a leak without a word of it", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const rig = new Rig(24);
    rig.put(100);
    const worker = await rig.start();
    await rig.until(() => worker.records.length >= 100);
    await rig.pass(15_000);
    await rig.close(worker);
    process.off("warning", note);
    expect(warnings.map(({ message }) => message)).toEqual([]);
  });

  it("hands on what Kinesis stored, byte for byte, with what is known about it", async () => {
    const rig = new Rig();
    const data = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    rig.putBytes(Buffer.from(data), "ключ");
    const arrived = rig.clock.now();
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 1);
    const [record] = worker.records;
    expect(record).toMatchObject({
      partitionKey: "ключ",
      shardId: idOf(0),
      subSequenceNumber: 0,
      encryptionType: "NONE",
      arrival: new Date(arrived),
    });
    expect(new Uint8Array(record?.data ?? [])).toEqual(data);
    await rig.close(worker);
  });

  it("stores with a renewal, within 3.4 s, what was acknowledged", async () => {
    const rig = new Rig();
    rig.put(10);
    const worker = await rig.start();
    await rig.until(() => worker.records.length === 10);
    await rig.pass(3_400);
    const last = worker.records.at(-1);
    expect(rig.lease()?.checkpoint).toEqual({
      kind: "after",
      sequenceNumber: BigInt(last?.sequenceNumber ?? 0),
      subSequenceNumber: 0,
    });
    await rig.close(worker);
  });

  it("never lets the checkpoint pass a record that is not acknowledged, whatever comes after it", async () => {
    const rig = new Rig();
    rig.put(10);
    const worker = await rig.start({}, (record) => Buffer.from(record.data).toString() !== "4");
    await rig.until(() => worker.records.length === 10);
    await rig.pass(10_000);
    const before = worker.records[3];
    expect(rig.lease()?.checkpoint).toMatchObject({ sequenceNumber: BigInt(before?.sequenceNumber ?? 0) });
    await rig.close(worker);
    expect(rig.lease()?.checkpoint).toMatchObject({ sequenceNumber: BigInt(before?.sequenceNumber ?? 0) });
  });

  it("repeats nothing after a clean stop, and starts again without waiting", async () => {
    const rig = new Rig(2);
    rig.put(20);
    const first = await rig.start();
    await rig.until(() => first.records.length === 20);
    await rig.close(first);
    expect(rig.lease(0)).toMatchObject({ owner: undefined });
    expect(first.released.sort()).toEqual([idOf(0), idOf(1)]);
    rig.put(20);
    const second = await rig.start();
    const tookMs = await rig.until(() => second.records.length > 0);
    expect(tookMs).toBeLessThan(100);
    await rig.until(() => second.records.length === 20);
    await rig.pass(5_000);
    expect(distinct(textsOf(second.records))).toEqual(distinct(textsOf(second.records).slice(0, 20)));
    expect(textsOf(second.records).every((text) => Number(text) >= 20)).toBe(true);
    await rig.close(second);
  });

  it("keeps its leases and stores acknowledgements after the reading was stopped, until it is closed", async () => {
    const rig = new Rig();
    rig.put(3);
    const worker = await rig.start({}, () => false);
    await rig.until(() => worker.records.length === 3);
    worker.stop.abort(new Error("stopped"));
    await rig.pass(25_000);
    expect(rig.lease()?.owner).toMatch(/^0-[0-9a-f]{8}$/);
    for (const record of worker.records) record.ack();
    await rig.close(worker);
    expect(rig.lease()).toMatchObject({
      owner: undefined,
      checkpoint: { sequenceNumber: BigInt(worker.records.at(-1)?.sequenceNumber ?? 0) },
    });
  });

  it("releases its leases when it is closed although the host never lets go of a partition", async () => {
    const rig = new Rig();
    rig.put(3);
    const worker = await rig.start({}, () => true);
    await rig.until(() => worker.records.length === 3);
    worker.holdOn = true;
    const startedMs = rig.clock.monotonic();
    await rig.close(worker);
    expect(rig.clock.monotonic() - startedMs).toBeLessThan(6_000);
    expect(rig.lease()).toMatchObject({ owner: undefined, checkpoint: { kind: "after" } });
  });

  it.each(["AccessDeniedException", "LimitExceededException"] as const)(
    "starts without the stream's age when Kinesis answers %s to the question",
    async (error) => {
      const rig = new Rig();
      const put = rig.put(3);
      rig.service.faults.refuse("DescribeStreamSummary", error, { count: Number.POSITIVE_INFINITY });
      const worker = await rig.start();
      await rig.until(() => worker.records.length === 3);
      expect(textsOf(worker.records)).toEqual(put);
      expect(rig.lease()).toMatchObject({ streamName: "orders", streamCreatedMs: undefined });
      await rig.close(worker);
    },
  );

  it("adopts a killed predecessor's leases 7.1 s after its start", async () => {
    const rig = new Rig();
    rig.put(1);
    const first = await rig.start();
    await rig.until(() => first.records.length === 1);
    await rig.pass(4_000);
    first.kill();
    rig.put(1);
    const second = await rig.start();
    const tookMs = await rig.until(() => second.records.length === 1);
    expect(tookMs).toBeGreaterThanOrEqual(7_100);
    expect(tookMs).toBeLessThan(7_200);
    expect(textsOf(second.records)).toEqual(["1"]);
    await rig.close(second);
  });

  it("leaves a predecessor alone that still renews its leases", async () => {
    const rig = new Rig();
    const first = await rig.start();
    await rig.pass(1_000);
    const second = await rig.start();
    await rig.pass(40_000);
    expect(first.released).toEqual([]);
    expect(second.consumer.status()).toEqual([]);
    await rig.close(second);
    await rig.close(first);
  });

  it("never shares a shard with a worker of Java's that has its number and lives, and goes on 7.1 s after that one's last sign", async () => {
    const rig = new Rig();
    const ours = await rig.start();
    await rig.close(ours);
    const stopped = new AbortController();
    const renew = async () => {
      for (;;) {
        for (const [id, row] of rig.table.rows) {
          rig.table.rows.set(id, { ...row, owner: "0", counter: row.counter + 1 });
        }
        await rig.clock.sleep(3_308, stopped.signal);
      }
    };
    renew().catch(() => {});
    const put = rig.put(10);
    const second = await rig.start();
    await rig.pass(60_000);
    expect(second.consumer.status()).toEqual([]);
    expect(second.records).toEqual([]);
    stopped.abort(new Error("Java was killed"));
    const tookMs = await rig.until(() => second.records.length === 10);
    expect(tookMs).toBeLessThan(10_000);
    expect(distinct(textsOf(second.records))).toEqual(put);
    await rig.close(second);
  });

  it("takes another worker's leases only after 10 s without a renewal", async () => {
    const rig = new Rig();
    rig.put(1);
    const first = await rig.start({ instanceId: "7" });
    await rig.until(() => first.records.length === 1);
    await rig.pass(4_000);
    first.kill();
    rig.put(1);
    const second = await rig.start({ instanceId: "0" });
    const tookMs = await rig.until(() => second.records.length === 1);
    expect(tookMs).toBeGreaterThanOrEqual(10_000);
    expect(tookMs).toBeLessThan(13_000);
    await rig.close(second);
  });
});
