import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt } from "../harness/attempt.ts";
import { Cli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { cleanExit } from "../harness/journey.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { LeaseRows } from "../harness/lease-rows.ts";
import { describeWithStack, type RunningStack, uniqueName } from "../stack.ts";

describeWithStack("a start on a lease table that is not its own", (stack) => {
  let orders: KinesisStream;
  let returns: KinesisStream;
  let leases: LeaseRows;

  beforeAll(async () => {
    leases = new LeaseRows(stack.dynamoEndpoint);
    [orders, returns] = await Promise.all([
      KinesisStream.create(stack.kinesisEndpoint, uniqueName("orders"), 2),
      KinesisStream.create(stack.kinesisEndpoint, uniqueName("returns"), 2),
    ]);
  });

  afterAll(async () => {
    leases[Symbol.dispose]();
    await Promise.all([orders[Symbol.asyncDispose](), returns[Symbol.asyncDispose]()]);
  });

  it("names both streams, and leaves the other one's leases as they were", async () => {
    const attempt = new Attempt(stack, orders.name);
    await readOnce(stack, attempt, leases);
    const before = await leases.of(attempt.applicationName);
    expect(before).toHaveLength(2);

    expect(await attempt.fails({ config: { awsKinesisStreamName: returns.name } })).toMatchObject({
      exitCode: 4,
      code: "PIO_LEASE_TABLE_OF_OTHER_STREAM",
      error: `the source could not be opened: the lease table "${attempt.applicationName}" is not one of the stream "${returns.name}": it belongs to "${orders.name}"`,
      remedy: "choose another application name: each stream needs its own",
    });
    expect(await leases.of(attempt.applicationName)).toEqual(before);
  });

  it("sees by their hash key ranges that leases of a Java worker are another stream's", async () => {
    const attempt = new Attempt(stack, returns.name);
    const row = {
      leaseKey: { S: "shardId-000000000000" },
      leaseCounter: { N: "17" },
      checkpoint: { S: "TRIM_HORIZON" },
      checkpointSubSequenceNumber: { N: "0" },
      ownerSwitchesSinceCheckpoint: { N: "0" },
      startingHashKey: { S: "0" },
      endingHashKey: { S: "340282366920938463463374607431768211455" },
    };
    await leases.createTable(attempt.applicationName, "leaseKey", row);
    expect(await attempt.fails({})).toMatchObject({
      exitCode: 4,
      code: "PIO_LEASE_TABLE_OF_OTHER_STREAM",
      error: `the source could not be opened: the lease table "${attempt.applicationName}" is not one of the stream "${returns.name}": its lease shardId-000000000000 has another range of hash keys than that shard`,
      remedy:
        "choose another application name: each stream needs its own; if the leases are those of a stream of this name that was deleted and created anew, stop all workers and delete the lease table",
    });
    expect(await leases.of(attempt.applicationName)).toEqual([row]);
  });

  it("says that a table is no lease table, and leaves it alone", async () => {
    const attempt = new Attempt(stack, orders.name);
    const row = { orderId: { S: "4711" }, amount: { N: "12" } };
    await leases.createTable(attempt.applicationName, "orderId", row);
    expect(await attempt.fails({})).toMatchObject({
      exitCode: 4,
      code: "PIO_LEASE_TABLE_SCHEMA",
      error: `the source could not be opened: the table "${attempt.applicationName}" is no lease table: its key is orderId (HASH) and not the text leaseKey`,
      remedy: "choose another application name, or remove that table if nobody needs it",
    });
    expect(await leases.of(attempt.applicationName)).toEqual([row]);
  });
});

/** Runs the source until it has taken its leases, and stops it cleanly. */
async function readOnce(stack: RunningStack, attempt: Attempt, leases: LeaseRows): Promise<void> {
  await using cli = new Cli(attempt.args());
  await eventually(`leases in ${attempt.applicationName} at ${stack.dynamoEndpoint}`, async () => {
    if (!(await leases.tableExists(attempt.applicationName))) return false;
    return (await leases.owners(attempt.applicationName)).length === 2;
  });
  expect(await cli.stop(), cli.output).toEqual(cleanExit);
}
