import { KinesisClient, SubscribeToShardCommand } from "@aws-sdk/client-kinesis";
import { type FaultEffect, InProcessHandler } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import type { ConsumerOptions } from "../src/consumer-options.ts";
import { distinct, idOf, Rig, textsOf } from "./support/rig.ts";

// Many minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 60_000 });

/** Reads by the real AWS SDK from the double, which frames events and ends subscriptions as AWS does. */
class SdkRig extends Rig {
  open(options: Partial<ConsumerOptions> = {}) {
    return this.start({ retrieval: { kind: "fan-out", consumerName: "orders-app" }, ...options });
  }

  get subscriptions() {
    return this.service.lastCalls("SubscribeToShard");
  }

  get positions(): readonly string[] {
    return this.subscriptions.map(({ body }) => {
      const { StartingPosition } = body as { StartingPosition: { Type: string } }; // as the SDK sends it
      return StartingPosition.Type;
    });
  }

  /** Another program subscribes in the name of the same consumer. */
  async takeOver(): Promise<void> {
    const client = new KinesisClient({
      region: "us-east-1",
      credentials: { accessKeyId: "other", secretAccessKey: "other" },
      maxAttempts: 1,
      requestHandler: new InProcessHandler(this.service),
    });
    const [consumer] = this.stream.consumers.list();
    const asked = {
      ConsumerARN: consumer?.arn,
      ShardId: idOf(0),
      StartingPosition: { Type: "LATEST" },
    } as const;
    await client.send(new SubscribeToShardCommand(asked));
  }
}

describe("enhanced fan-out through the AWS SDK", () => {
  it("reads each record once and in order, and subscribes again after five minutes where it was", async () => {
    const rig = new SdkRig();
    const worker = await rig.open();
    for (let minute = 0; minute < 22; minute += 1) {
      rig.put(150);
      await rig.pass(60_000);
    }
    await rig.until(() => worker.records.length >= 22 * 150);
    expect(textsOf(worker.records)).toEqual(Array.from({ length: 22 * 150 }, (_, index) => String(index)));
    expect(rig.positions).toEqual(["TRIM_HORIZON", ...Array(4).fill("AFTER_SEQUENCE_NUMBER")]);
    const times = rig.subscriptions.map(({ atMs }) => atMs);
    const lives = times.slice(1).map((atMs, index) => Math.round(atMs - (times[index] ?? 0)));
    for (const life of lives) expect(life).toBeGreaterThanOrEqual(300_000);
    await rig.close(worker);
  });

  it("reads a split and a merge to the end of each shard, parents first", async () => {
    const rig = new SdkRig();
    const worker = await rig.open();
    const before = rig.put(100);
    rig.stream.split(idOf(0), 1n << 127n, rig.clock.now());
    const between = rig.put(50);
    rig.stream.merge(idOf(1), idOf(2), rig.clock.now());
    const after = rig.put(50);
    await rig.until(() => worker.records.length === 200);
    const texts = textsOf(worker.records);
    expect(texts.slice(0, 100)).toEqual(before);
    expect(distinct(texts.slice(100, 150))).toEqual(between);
    expect(texts.slice(150)).toEqual(after);
    await rig.until(() => [0, 1, 2].every((index) => rig.lease(index)?.checkpoint.kind === "shard-end"));
    expect(rig.lease(3)?.checkpoint.kind).not.toBe("shard-end");
    await rig.close(worker);
  });

  it.each(["trim-horizon", "latest"] as const)(
    "is told the end of a shard again that a worker from %s died over, and ends it",
    async (kind) => {
      const rig = new SdkRig();
      const first = await rig.open({ initialPosition: { kind } });
      await rig.pass(10_000);
      const before = kind === "latest" ? [] : rig.put(5);
      await rig.until(() => first.records.length === before.length);
      await rig.pass(10_000);
      rig.table.before = (method) => {
        if (method === "create") first.kill();
      };
      rig.stream.split(idOf(0), 2n ** 127n, rig.clock.now());
      await rig.pass(10_000);
      expect(rig.lease(0)?.checkpoint.kind).not.toBe("shard-end");
      rig.table.before = () => {};
      const put = rig.put(20);
      const second = await rig.open({ instanceId: "1", initialPosition: { kind } });
      await rig.until(() => second.records.length === 20);
      expect(distinct(textsOf(second.records))).toEqual(put);
      expect(rig.lease(0)?.checkpoint).toEqual({ kind: "shard-end" });
      await rig.close(second);
    },
  );

  it("renews its lease when another takes the subscription over, and takes it back without loss", async () => {
    const rig = new SdkRig();
    const worker = await rig.open();
    rig.put(5);
    await rig.until(() => worker.records.length === 5);
    await rig.pass(10_000);
    const counter = rig.lease()?.counter ?? 0;
    await rig.takeOver();
    const tookMs = await rig.until(() => (rig.lease()?.counter ?? 0) > counter);
    expect(tookMs).toBeLessThanOrEqual(500);
    const texts = rig.put(5);
    await rig.until(() => worker.records.length === 10);
    expect(textsOf(worker.records).slice(5)).toEqual(texts);
    expect(rig.positions.slice(0, 3)).toEqual(["TRIM_HORIZON", "LATEST", "AFTER_SEQUENCE_NUMBER"]);
    await rig.close(worker);
  });

  it("leaves the subscription to whoever took the lease", async () => {
    const rig = new SdkRig();
    const worker = await rig.open();
    await rig.pass(10_000);
    const row = rig.lease();
    if (row === undefined) throw new Error("no lease");
    rig.table.rows.set(idOf(0), { ...row, owner: "java-1", counter: row.counter + 1 });
    await rig.takeOver();
    expect(await rig.until(() => worker.released.length > 0)).toBeLessThanOrEqual(500);
    const count = rig.subscriptions.length;
    await rig.pass(8_000);
    expect(rig.subscriptions).toHaveLength(count);
    await rig.close(worker);
  });

  it("registers a consumer again that was deleted, and ends no shard for it", async () => {
    const rig = new SdkRig(2);
    const worker = await rig.open();
    rig.put(20);
    await rig.until(() => worker.records.length === 20);
    const [consumer] = rig.stream.consumers.list();
    if (consumer !== undefined) rig.stream.consumers.deregister(consumer);
    rig.put(20);
    await rig.until(() => worker.records.length === 40);
    expect(distinct(textsOf(worker.records))).toHaveLength(40);
    expect(rig.service.calls("RegisterStreamConsumer")).toBe(2);
    for (const index of [0, 1]) expect(rig.lease(index)?.checkpoint.kind).not.toBe("shard-end");
    await rig.close(worker);
  });

  it.each<FaultEffect>([
    { kind: "reset" },
    { kind: "cut-answer" },
    { kind: "corrupt" },
    { kind: "hang-up" },
    { kind: "silence" },
    { kind: "delay", ms: 20_000 },
    { kind: "refuse", error: "InternalFailureException" },
    { kind: "refuse", error: "ResourceInUseException" },
    { kind: "refuse", error: "KMSThrottlingException" },
    { kind: "refuse", error: "LimitExceededException" },
  ])("neither loses nor repeats a record through %o in the place of an event", async (effect) => {
    const rig = new SdkRig();
    const worker = await rig.open();
    const texts: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      rig.service.faults.add({ operation: "SubscribeToShardEvent", skip: round % 2, effect });
      texts.push(...rig.put(7));
      await rig.pass(12_000);
    }
    // Six silences of 35 seconds, should no two of them meet.
    await rig.until(() => worker.records.length >= texts.length, 240_000);
    expect(textsOf(worker.records)).toEqual(texts);
    expect([worker.failure, rig.lease()?.checkpoint.kind === "shard-end"]).toEqual([undefined, false]);
    await rig.close(worker);
  });

  it.each<FaultEffect>([
    { kind: "reset" },
    { kind: "lose-answer" },
    { kind: "cut-answer" },
    { kind: "silence" },
    { kind: "refuse", error: "ProvisionedThroughputExceededException" },
    { kind: "refuse", error: "LimitExceededException" },
    { kind: "refuse", error: "InternalFailure" },
  ])("subscribes in the end through %o of three subscriptions", async (effect) => {
    const rig = new SdkRig();
    rig.service.faults.add({ operation: "SubscribeToShard", count: 3, effect });
    const worker = await rig.open();
    const texts = rig.put(20);
    await rig.until(() => worker.records.length === 20 || worker.failure !== undefined, 300_000);
    expect(worker.failure).toBeUndefined();
    expect(textsOf(worker.records)).toEqual(texts);
    expect(rig.subscriptions.length).toBeGreaterThan(3);
    await rig.close(worker);
  });
});
