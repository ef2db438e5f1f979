import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { TestClock } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AwsClients, createAwsClients } from "../../src/aws-clients.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { HeldLease } from "../../src/lease/held-lease.ts";
import type { Lease, NewLease } from "../../src/lease/lease.ts";
import type { LeaseChange } from "../../src/lease/lease-table.ts";
import { shardId } from "../../src/shard/shard.ts";
import { heldOptions } from "../support/held-options.ts";
import { after, expectWritten, newLease } from "../support/lease-writes.ts";
import { type Dynalite, startDynalite } from "../support/start-dynalite.ts";
import { tapWire, type WireTap } from "../support/wire-tap.ts";

const signal = new AbortController().signal;
const stamp = { streamName: "orders", streamCreatedMs: undefined };
const id = shardId("shardId-000000000000");

describe("a write to the lease table that was done, but its answer got lost and the client tried again", () => {
  let server: Dynalite;
  let clients: AwsClients;
  let tap: WireTap;
  let tables = 0;
  beforeAll(async () => {
    server = await startDynalite();
    clients = createAwsClients({
      region: "us-east-1",
      dynamoEndpoint: server.endpoint,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    tap = tapWire(clients.dynamo);
  });
  afterAll(async () => {
    clients.destroy();
    await server[Symbol.asyncDispose]();
  });

  const made = async (change: Partial<NewLease> = {}) => {
    tables += 1;
    const tableName = `leases-${tables}`;
    const table = new DynamoLeaseTable(clients.dynamo, {
      tableName,
      clock: systemClock,
      logger: silentLogger,
    });
    await table.ensure(signal);
    await table.create([newLease(id, change)], stamp, signal);
    const lease = await table.get(id, signal);
    if (lease === undefined) throw new Error("no lease");
    return { table, lease };
  };
  const taken = async (change: Partial<NewLease> = {}) => {
    const { table, lease } = await made(change);
    const options = { stamp, startTimeMs: undefined, sinceMs: 5 };
    return { table, lease: expectWritten(await table.take(lease, "me", options, signal)) };
  };
  const triesOf = async <T>(write: () => Promise<T>) => {
    const before = tap.sent.length;
    tap.loseNextAnswer();
    const answer = await write();
    const names = tap.sent.slice(before).map(({ operation }) => operation);
    return { answer, tries: names.filter((name) => name !== "GetItem").length };
  };

  it.each([
    ["a renewal", {}],
    ["a checkpoint", { checkpoint: after(6n, 2) }],
    ["a release with the last checkpoint", { checkpoint: after(6n, 2), release: true }],
  ] as readonly (readonly [string, LeaseChange])[])("is taken for done: %s", async (_what, change) => {
    const { table, lease } = await taken();
    const held = new HeldLease(table, lease, heldOptions(new TestClock()));
    const { answer, tries } = await triesOf(() => held.write(() => change, signal));
    expect(answer).toEqual({ kind: "written" });
    expect(tries).toBe(2);
    expect(held.lost).toBe(false);
    const row = await table.get(id, signal);
    expect(row?.counter).toBe(2);
    expect(row?.owner).toBe(change.release === true ? undefined : "me");
    expect(row?.checkpoint).toEqual(change.checkpoint ?? lease.checkpoint);
  });

  it("shows, when a lease was taken, that it is the taker's", async () => {
    const { table, lease } = await made();
    const options = { stamp, startTimeMs: undefined, sinceMs: 5 };
    const { answer, tries } = await triesOf(() => table.take(lease, "me", options, signal));
    expect(answer).toMatchObject({ kind: "refused", current: { owner: "me", counter: 1 }, retried: true });
    expect(tries).toBe(2);
  });

  it("shows, when a lease was asked for, that it was", async () => {
    const { table, lease } = await taken();
    const { answer, tries } = await triesOf(() => table.requestHandOff(lease, "other", signal));
    const current = { owner: "other", checkpointOwner: "me", counter: 1 };
    expect(answer).toMatchObject({ kind: "refused", current, retried: true });
    expect(tries).toBe(2);
  });

  it("does the same twice where nothing depends on what was there: children and ranges", async () => {
    const { table, lease } = await taken();
    const child = shardId("shardId-000000000001");
    const children = await triesOf(() => table.setChildren(id, [child], signal));
    const range = await triesOf(() => table.setHashKeyRange(id, { start: 1n, end: 2n }, signal));
    expect([children, range]).toEqual([
      { answer: true, tries: 2 },
      { answer: true, tries: 2 },
    ]);
    const now: Lease = { ...lease, childShardIds: [child], hashKeyRange: { start: 1n, end: 2n } };
    expect(await table.get(id, signal)).toEqual(now);
  });

  it("leaves a lease that was created as it was created", async () => {
    const { table } = await made();
    const other = shardId("shardId-000000000001");
    const { tries } = await triesOf(() => table.create([newLease(other)], stamp, signal));
    expect(tries).toBe(2);
    expect(await table.get(other, signal)).toMatchObject({ counter: 0, owner: undefined });
  });

  it("leaves no row behind that was deleted", async () => {
    const unused = await made();
    const first = await triesOf(() => unused.table.deleteUnchanged(unused.lease, signal));
    expect(first).toEqual({ answer: true, tries: 2 });
    const finished = await taken({ checkpoint: { kind: "shard-end" } });
    const second = await triesOf(() => finished.table.deleteFinished(id, "me", signal));
    expect(second.tries).toBe(2);
    for (const { table } of [unused, finished]) expect(await table.get(id, signal)).toBeUndefined();
  });
});
