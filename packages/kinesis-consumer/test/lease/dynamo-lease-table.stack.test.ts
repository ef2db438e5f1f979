import { CreateTableCommand, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../../test/stack.ts";
import { type AwsClients, createAwsClients } from "../../src/aws-clients.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { shardId } from "../../src/shard/shard.ts";
import { leaseTableContract } from "../support/lease-table-contract.ts";
import { after, expectWritten, newLease, sinceMs, stamp } from "../support/lease-writes.ts";
import { type Dynalite, startDynalite } from "../support/start-dynalite.ts";
import { unstopped } from "../support/unstopped.ts";

const signal = new AbortController().signal;
const one = shardId("shardId-000000000001");

function clientsOf(dynamoEndpoint: string): AwsClients {
  return createAwsClients({
    region: "us-east-1",
    dynamoEndpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}

function tableOf(clients: AwsClients, tableName = uniqueName("leases"), logger = new RecordingLogger()) {
  return new DynamoLeaseTable(clients.dynamo, { tableName, clock: systemClock, logger });
}

describeWithStack("DynamoLeaseTable on DynamoDB Local", ({ dynamoEndpoint }) => {
  const clients = clientsOf(dynamoEndpoint);
  afterAll(() => clients.destroy());

  leaseTableContract(() => Promise.resolve(tableOf(clients)));

  it("writes KCL's attributes with KCL's types, and ours with their prefix", async () => {
    const tableName = uniqueName("leases");
    const table = tableOf(clients, tableName);
    await table.ensure(signal);
    const parents = [shardId("shardId-000000000000")];
    await table.create([newLease(one, { parentShardIds: parents })], stamp, signal);
    const [lease] = await table.list({ consistent: true }, signal);
    if (lease === undefined) throw new Error("no lease");
    const taken = expectWritten(
      await table.take(lease, "0-abcd1234", { stamp, startTimeMs: 9, sinceMs }, signal),
    );
    expect(await itemsOf(tableName)).toEqual([
      {
        leaseKey: { S: one },
        leaseOwner: { S: "0-abcd1234" },
        leaseCounter: { N: "1" },
        ownerSwitchesSinceCheckpoint: { N: "0" },
        checkpoint: { S: "TRIM_HORIZON" },
        checkpointSubSequenceNumber: { N: "0" },
        parentShardId: { SS: ["shardId-000000000000"] },
        startingHashKey: { S: "0" },
        endingHashKey: { S: "340282366920938463463374607431768211455" },
        x_startTs: { N: "9" },
        x_worker: { S: "0-abcd1234" },
        x_since: { N: "1760000000000" },
        x_streamName: { S: "orders" },
        x_streamCreated: { N: "1700000000000" },
      },
    ]);
    await table.setChildren(one, [shardId("shardId-000000000002")], signal);
    await table.write(taken, { checkpoint: { kind: "shard-end" }, release: true }, signal);
    const [finished] = await itemsOf(tableName);
    expect(finished).toMatchObject({
      leaseCounter: { N: "2" },
      checkpoint: { S: "SHARD_END" },
      checkpointSubSequenceNumber: { N: "0" },
      childShardIds: { SS: ["shardId-000000000002"] },
    });
    expect(finished).not.toHaveProperty("leaseOwner");
    expect(finished).not.toHaveProperty("x_startTs");
  });

  it("counts a change of owner, forgets a pending checkpoint, and leaves what it does not know", async () => {
    const tableName = uniqueName("leases");
    const table = tableOf(clients, tableName);
    await table.ensure(signal);
    await clients.dynamo.call(
      new PutItemCommand({
        TableName: tableName,
        Item: {
          leaseKey: { S: one },
          leaseOwner: { S: "0" },
          leaseCounter: { N: "41" },
          ownerSwitchesSinceCheckpoint: { N: "2" },
          checkpoint: { S: "12" },
          checkpointSubSequenceNumber: { N: "3" },
          checkpointOwner: { S: "0" },
          pendingCheckpoint: { S: "13" },
          pendingCheckpointSubSequenceNumber: { N: "0" },
          pendingCheckpointState: { B: new Uint8Array([1]) },
          throughputKBps: { N: "1.5" },
          entityType: { S: "LEASE" },
        },
      }),
      unstopped,
    );
    const [lease] = await table.list({ consistent: true }, signal);
    if (lease === undefined) throw new Error("no lease");
    expect(lease).toMatchObject({ owner: "0", counter: 41, checkpoint: after(12n, 3), checkpointOwner: "0" });
    const taken = expectWritten(
      await table.take(lease, "0-abcd1234", { stamp, startTimeMs: undefined, sinceMs }, signal),
    );
    const [row] = await itemsOf(tableName);
    expect(row).toMatchObject({ ownerSwitchesSinceCheckpoint: { N: "3" }, leaseCounter: { N: "42" } });
    expect(row).not.toHaveProperty("checkpointOwner");
    await table.write(taken, { checkpoint: after(14n) }, signal);
    expect(await itemsOf(tableName)).toEqual([
      {
        leaseKey: { S: one },
        leaseOwner: { S: "0-abcd1234" },
        leaseCounter: { N: "43" },
        ownerSwitchesSinceCheckpoint: { N: "0" },
        checkpoint: { S: "14" },
        checkpointSubSequenceNumber: { N: "0" },
        throughputKBps: { N: "1.5" },
        entityType: { S: "LEASE" },
        x_worker: { S: "0-abcd1234" },
        x_since: { N: "1760000000000" },
        x_streamName: { S: "orders" },
        x_streamCreated: { N: "1700000000000" },
      },
    ]);
  });

  it("refuses an owner's write once a leader of KCL 3 has begun to hand the lease on, and then hands it over in one write", async () => {
    const tableName = uniqueName("leases");
    const table = tableOf(clients, tableName);
    await table.ensure(signal);
    await table.create([newLease(one)], stamp, signal);
    const [lease] = await table.list({ consistent: true }, signal);
    if (lease === undefined) throw new Error("no lease");
    const mine = expectWritten(
      await table.take(lease, "me", { stamp, startTimeMs: undefined, sinceMs }, signal),
    );
    const [row] = await itemsOf(tableName);
    const handOff = { ...row, leaseOwner: { S: "java" }, checkpointOwner: { S: "me" } };
    await clients.dynamo.call(new PutItemCommand({ TableName: tableName, Item: handOff }), unstopped);
    const outcome = await table.write(mine, {}, signal);
    expect(outcome).toMatchObject({ kind: "refused", current: { checkpointOwner: "me", counter: 1 } });
    if (outcome.kind !== "refused" || outcome.current === undefined) throw new Error("no lease");
    const renewed = expectWritten(await table.write(outcome.current, {}, signal));
    expect(renewed).toMatchObject({ owner: "java", checkpointOwner: "me", counter: 2 });
    const change = { checkpoint: after(7n), release: true };
    expectWritten(await table.write(renewed, change, signal));
    const [handed] = await itemsOf(tableName);
    expect(handed).toEqual({
      ...row,
      leaseOwner: { S: "java" },
      leaseCounter: { N: "3" },
      checkpoint: { S: "7" },
    });
    expect((await table.write(renewed, change, signal)).kind).toBe("refused");
  });

  it("asks for no lease that a leader of KCL 3 is about to hand back to a worker of ours", async () => {
    const tableName = uniqueName("leases");
    const table = tableOf(clients, tableName);
    await table.ensure(signal);
    await table.create([newLease(one)], stamp, signal);
    const [lease] = await table.list({ consistent: true }, signal);
    if (lease === undefined) throw new Error("no lease");
    const mine = expectWritten(
      await table.take(lease, "me", { stamp, startTimeMs: undefined, sinceMs }, signal),
    );
    const [row] = await itemsOf(tableName);
    const handOff = { ...row, checkpointOwner: { S: "java" } };
    await clients.dynamo.call(new PutItemCommand({ TableName: tableName, Item: handOff }), unstopped);
    expect((await table.requestHandOff(mine, "other", signal)).kind).toBe("refused");
    // Its Java reader has begun to give it up, and would wait for ever to end that.
    expect((await table.withdrawRequest(one, "me", signal)).kind).toBe("refused");
    expect(await itemsOf(tableName)).toEqual([handOff]);
  });

  it("skips the rows that KCL 3 keeps beside the leases", async () => {
    const tableName = uniqueName("leases");
    const table = tableOf(clients, tableName);
    await table.ensure(signal);
    for (const entityType of ["STREAM", "LEADER", "CLIENT_VERSION_MIGRATION", "WORKER_METRIC_STATS"]) {
      const Item = { leaseKey: { S: entityType }, entityType: { S: entityType } };
      await clients.dynamo.call(new PutItemCommand({ TableName: tableName, Item }), unstopped);
    }
    expect(await table.list({ consistent: true }, signal)).toEqual([]);
  });

  it("reads a table of many pages", async () => {
    const table = tableOf(clients);
    await table.ensure(signal);
    // A scan answers 1 MB at once: 1 500 rows of 1 KB are two pages.
    const parentShardIds = Array.from({ length: 2 }, (_, index) => shardId(`${index}${"p".repeat(500)}`));
    const leases = Array.from({ length: 1_500 }, (_, index) =>
      newLease(shardId(`shardId-${String(index).padStart(12, "0")}`), { parentShardIds }),
    );
    await table.create(leases, stamp, signal);
    expect(await table.list({ consistent: true }, signal)).toHaveLength(1_500);
  });

  it("says that a table with another key is no lease table", async () => {
    const tableName = uniqueName("foreign");
    await clients.dynamo.call(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "N" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
      unstopped,
    );
    await expect(tableOf(clients, tableName).ready(signal)).rejects.toMatchObject({
      code: "PIO_LEASE_TABLE_SCHEMA",
      message: expect.stringContaining(`the table "${tableName}" is no lease table`),
    });
  });

  it("refuses a name that DynamoDB would refuse, and suggests one", async () => {
    await expect(tableOf(clients, "My test application").ready(signal)).rejects.toMatchObject({
      code: "PIO_LEASE_TABLE_NAME",
      remedy: 'use an application name such as "My-test-application"',
    });
  });

  it("lets several workers create the table at once", async () => {
    const tableName = uniqueName("leases");
    await Promise.all(Array.from({ length: 4 }, () => tableOf(clients, tableName).ensure(signal)));
    expect(await tableOf(clients, tableName).ready(signal)).toBe(true);
  });

  async function itemsOf(tableName: string) {
    return (await clients.dynamo.call(new ScanCommand({ TableName: tableName }), unstopped)).Items ?? [];
  }
});

describe("DynamoLeaseTable on dynalite", () => {
  let server: Dynalite;
  let clients: AwsClients;
  beforeAll(async () => {
    server = await startDynalite();
    clients = clientsOf(server.endpoint);
  });
  afterAll(async () => {
    clients.destroy();
    await server[Symbol.asyncDispose]();
  });

  leaseTableContract(() => Promise.resolve(tableOf(clients)));

  it("says once that the store has no transactions", async () => {
    const logger = new RecordingLogger();
    const table = tableOf(clients, uniqueName("leases"), logger);
    await table.ensure(signal);
    await table.create([newLease(shardId("a")), newLease(shardId("b"))], stamp, signal);
    await table.create([newLease(shardId("c")), newLease(shardId("d"))], stamp, signal);
    expect(await table.list({ consistent: true }, signal)).toHaveLength(4);
    expect(logger.linesOf("the lease store has no transactions, leases are created one by one")).toHaveLength(
      1,
    );
  });
});
