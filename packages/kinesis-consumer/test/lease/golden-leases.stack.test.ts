import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { afterAll, describe, expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../../test/stack.ts";
import { createAwsClients } from "../../src/aws-clients.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { type LeaseItem, readLease } from "../../src/lease/lease-item.ts";
import { shardId } from "../../src/shard/shard.ts";
import { goldenTables, type Recording, recordings, restoreGoldenTables } from "../support/golden-tables.ts";
import { after, expectWritten, newLease, sinceMs, stamp } from "../support/lease-writes.ts";
import { unstopped } from "../support/unstopped.ts";

const signal = new AbortController().signal;
const me = "0-abcd1234";
const far = 99_999_999_999_999_999_999_999_999_999_999_999_999_999_999_999_999_999_999n;

/** What a KCL to come might keep on a lease: one of each type that DynamoDB has. */
const unknown: LeaseItem = {
  leaseNote: { S: "ключ-鍵-🔑" },
  leasePrice: { N: "0.12345678901234567890123456789012345678" },
  leaseBytes: { B: new Uint8Array([0, 255, 128]) },
  leaseFlag: { BOOL: false },
  leaseNothing: { NULL: true },
  leaseTags: { SS: ["a", "b"] },
  leaseNumbers: { NS: ["1", "2.5"] },
  leaseChunks: { BS: [new Uint8Array([1]), new Uint8Array([2])] },
  leaseTree: { M: { deep: { L: [{ N: "1" }, { M: {} }, { S: "" }] } } },
};

describeWithStack("the leases that Java left behind", ({ dynamoEndpoint }) => {
  const clients = createAwsClients({
    region: "us-east-1",
    dynamoEndpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  afterAll(() => clients.destroy());

  const restored = async (recording: Recording) => {
    const tableName = uniqueName("golden");
    await restoreGoldenTables(clients.dynamo, tableName, recording);
    const scan = async () => {
      const { Items = [] } = await clients.dynamo.call(new ScanCommand({ TableName: tableName }), unstopped);
      return new Map(Items.map((item) => [item["leaseKey"]?.S ?? "", item]));
    };
    for (const [key, item] of await scan()) {
      if (readLease(item) === undefined) continue;
      const Item = { ...item, ...unknown, leaseKey: { S: key } };
      await clients.dynamo.call(new PutItemCommand({ TableName: tableName, Item }), unstopped);
    }
    const table = new DynamoLeaseTable(clients.dynamo, {
      tableName,
      clock: systemClock,
      logger: silentLogger,
    });
    return { table, scan };
  };

  describe.each(recordings)("with KCL %s", (recording) => {
    it("are read, each of them, and no other row", async () => {
      const { table } = await restored(recording);
      const leases = await table.list({ consistent: true }, signal);
      const items = goldenTables(recording).get("")?.items ?? [];
      const keys = items.flatMap((item) => (item["checkpoint"] === undefined ? [] : item["leaseKey"]?.S));
      expect(leases.map((lease) => lease.shardId).sort()).toEqual(keys.sort());
      for (const lease of leases) {
        const item = items.find((one) => one["leaseKey"]?.S === lease.shardId) ?? {};
        expect(lease.counter.toString()).toBe(item["leaseCounter"]?.N);
        expect(lease.owner).toBe("0");
        expect(lease.hashKeyRange?.start.toString()).toBe(item["startingHashKey"]?.S);
        expect(lease.hashKeyRange?.end.toString()).toBe(item["endingHashKey"]?.S);
        expect([...lease.parentShardIds].sort()).toEqual([...(item["parentShardId"]?.SS ?? [])].sort());
        expect([...lease.childShardIds].sort()).toEqual([...(item["childShardIds"]?.SS ?? [])].sort());
      }
    });

    it("keep all that is not ours, and get what is ours as Java writes it, taken, renewed, checkpointed and released", async () => {
      const { table, scan } = await restored(recording);
      const before = await scan();
      for (const lease of await table.list({ consistent: true }, signal)) {
        const left = before.get(lease.shardId) ?? {};
        const now = async () => (await scan()).get(lease.shardId);
        const counter = (more: number) => ({ leaseCounter: { N: String(lease.counter + more) } });

        const taken = expectWritten(
          await table.take(lease, me, { stamp, startTimeMs: undefined, sinceMs }, signal),
        );
        const ours: LeaseItem = {
          ...left,
          ...counter(1),
          leaseOwner: { S: me },
          ownerSwitchesSinceCheckpoint: {
            N: String(Number(left["ownerSwitchesSinceCheckpoint"]?.N) + 1),
          },
          x_worker: { S: me },
          x_since: { N: "1760000000000" },
          x_streamName: { S: "orders" },
          x_streamCreated: { N: "1700000000000" },
        };
        expect(await now()).toEqual(ours);

        const renewed = expectWritten(await table.write(taken, {}, signal));
        expect(await now()).toEqual({ ...ours, ...counter(2) });

        const throughputKBps = 1_481.257_556_789;
        const measured = expectWritten(await table.write(renewed, { throughputKBps }, signal));
        const withThroughput = { ...ours, ...counter(3), throughputKBps: { N: "1481.257557" } };
        expect(await now()).toEqual(withThroughput);

        const checkpoint = after(far, 7);
        const stored = expectWritten(await table.write(measured, { checkpoint }, signal));
        const checkpointed: LeaseItem = {
          ...withThroughput,
          ...counter(4),
          checkpoint: { S: far.toString() },
          checkpointSubSequenceNumber: { N: "7" },
          ownerSwitchesSinceCheckpoint: { N: "0" },
        };
        expect(await now()).toEqual(checkpointed);

        const belongsTo = { sequenceNumber: far.toString(), subSequenceNumber: 7 };
        const base = { kind: "anchor", sequenceNumber: far.toString() } as const;
        const numbering = { epoch: "e-1", version: "whole", belongsTo, base };
        const begun = expectWritten(await table.write(stored, { numbering }, signal));
        const withNumbers: LeaseItem = {
          ...checkpointed,
          ...counter(5),
          x_epoch: { S: "e-1" },
          x_ordVer: { S: "whole" },
          x_ordSeq: { S: far.toString() },
          x_ordSub: { N: "7" },
          x_anchorSeq: { S: far.toString() },
        };
        expect(await now()).toEqual(withNumbers);

        const further = { ...belongsTo, subSequenceNumber: 8 };
        const numbered = expectWritten(
          await table.write(
            begun,
            {
              checkpoint: after(far, 8),
              numbering: { ...numbering, belongsTo: further, base: { kind: "ordinal", ordinal: 0 } },
            },
            signal,
          ),
        );
        const { x_anchorSeq: _gone, ...anchored } = withNumbers;
        expect(await now()).toEqual({
          ...anchored,
          ...counter(6),
          checkpointSubSequenceNumber: { N: "8" },
          x_ordSub: { N: "8" },
          x_ord: { N: "0" },
        });

        const ended = expectWritten(
          await table.write(numbered, { checkpoint: { kind: "shard-end" } }, signal),
        );
        const atTheEnd: LeaseItem = {
          ...checkpointed,
          checkpoint: { S: "SHARD_END" },
          checkpointSubSequenceNumber: { N: "0" },
        };
        expect(await now()).toEqual({ ...atTheEnd, ...counter(7) });

        expectWritten(await table.write(ended, { release: true }, signal));
        const released = Object.entries({ ...atTheEnd, ...counter(8) }).filter(
          ([name]) => name !== "leaseOwner",
        );
        expect(await now()).toEqual(Object.fromEntries(released));
      }
      const kept = new Set(
        (await table.list({ consistent: true }, signal)).map((one) => one.shardId as string),
      );
      for (const [key, item] of await scan()) if (!kept.has(key)) expect(item).toEqual(before.get(key));
      expect(new Set((await scan()).keys())).toEqual(new Set(before.keys()));
    });

    it("are joined by leases that have the same attributes in the same types as Java's new ones", async () => {
      const { table, scan } = await restored(recording);
      await table.list({ consistent: true }, signal);
      const parents = [shardId("shardId-000000000000")];
      const child = shardId("shardId-000000000077");
      await table.create([newLease(child, { parentShardIds: parents })], stamp, signal);
      const saysWhatItIs = recording === "3.5.1-polling" ? { entityType: { S: "LEASE" } } : {};
      expect((await scan()).get(child)).toEqual({
        leaseKey: { S: child },
        leaseCounter: { N: "0" },
        ownerSwitchesSinceCheckpoint: { N: "0" },
        checkpoint: { S: "TRIM_HORIZON" },
        checkpointSubSequenceNumber: { N: "0" },
        parentShardId: { SS: parents },
        startingHashKey: { S: "0" },
        endingHashKey: { S: "340282366920938463463374607431768211455" },
        x_streamName: { S: "orders" },
        x_streamCreated: { N: "1700000000000" },
        ...saysWhatItIs,
      });
    });
  });
});
