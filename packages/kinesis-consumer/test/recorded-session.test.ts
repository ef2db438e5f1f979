import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { silentLogger, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import { eventually } from "../../../test/harness/eventually.ts";
import {
  AwsAccessCheck,
  type AwsClients,
  createAwsClients,
  KinesisConsumer,
  LeaseTools,
} from "../src/index.ts";
import type { LeaseItem } from "../src/lease/lease-item.ts";
import { usualOptions } from "./support/consumer-options.ts";
import { goldenTables, restoreGoldenTables } from "./support/golden-tables.ts";
import { startDynalite } from "./support/start-dynalite.ts";
import { unstopped } from "./support/unstopped.ts";
import { type SentRequest, tapWire } from "./support/wire-tap.ts";

// Two workers hand leases over here, by the real clock.
vi.setConfig({ testTimeout: 60_000 });

const signal = new AbortController().signal;
const host = {
  clock: systemClock,
  logger: silentLogger,
  meter: silentMeter,
  troubles: silentTroubles,
  signal,
};
const subject = {
  streamName: "orders",
  applicationName: "orders-app",
  initialPosition: { kind: "trim-horizon" },
} as const;
const middle = 2n ** 126n;
const reads = /^(GetItem|Scan|Query|DescribeTable)$/;
/** The table is there, and nothing runs for the minute after which finished leases are deleted one by one. */
const noOccasion = ["CreateTable orders-app"];

describe("a whole session in a table that KCL 3 has used", () => {
  it("writes leases and nothing else, to the lease table and no other, and calls what the policy allows and no more", async () => {
    await using dynalite = await startDynalite();
    await using kinesis = await startKinesisDouble();
    kinesis.model.createStream(subject.streamName, 4);
    const connect = () =>
      createAwsClients({
        region: "us-east-1",
        kinesisEndpoint: kinesis.endpoint,
        dynamoEndpoint: dynalite.endpoint,
        credentials: { accessKeyId: "any", secretAccessKey: "any" },
      });
    using observer = connect();
    await leaveBehind(observer);
    const before = await foreignRows(observer);
    using clients = connect();
    const { sent } = tapWire(clients.dynamo);

    const first = await work(clients, "a");
    await eventually("all leases", () => first.consumer.status().length === 4);
    const stream = kinesis.model.stream(subject.streamName);
    stream.split("shardId-000000000000", middle / 2n, Date.now());
    await eventually("the children", () => first.consumer.status().length === 6);
    const second = await work(clients, "b");
    await eventually("a share for each", () => second.consumer.status().length === 3);
    await Promise.all([first.stop(), second.stop()]);
    const tools = new LeaseTools(clients, host, subject);
    expect(await tools.inspect()).toHaveLength(6);
    await tools.reset({ kind: "trim-horizon" });

    const writes = sent.filter(({ operation }) => !reads.test(operation));
    expect(new Set(writes.map(({ operation }) => operation))).toEqual(
      new Set(["PutItem", "UpdateItem", "DeleteItem"]),
    );
    expect(writes.filter((write) => !isLeaseWrite(write))).toEqual([]);
    expect(await foreignRows(observer)).toEqual(before);

    const options = { ...subject, retrieval: { kind: "polling" }, metricsLevel: "NONE" } as const;
    const check = new AwsAccessCheck(clients, host, options);
    const called = [...new Set(sent.map(({ operation, TableName }) => `${operation} ${TableName}`))];
    const tried: string[] = [];
    for await (const { name, outcome } of check.run()) if (outcome === "failed") tried.push(name);
    expect(tried).toEqual([]);
    expect([...called, ...noOccasion].sort()).toEqual([...grantedBy(await check.policy())].sort());
  });
});

/** As KCL 2 needs it: a lease's key, what it may not miss in a new row, and no row made by an update. */
function isLeaseWrite(write: SentRequest): boolean {
  const { TableName, Key, Item, ConditionExpression = "" } = write;
  const key = (Key ?? Item)?.["leaseKey"]?.S ?? "";
  if (TableName !== subject.applicationName || !/^shardId-\d{12}$/.test(key)) return false;
  if (Item !== undefined) {
    return ["leaseCounter", "ownerSwitchesSinceCheckpoint", "checkpoint"].every((name) => name in Item);
  }
  const names = write.ExpressionAttributeNames ?? {};
  const asked = ConditionExpression.split(" AND ").map((one) =>
    one.replaceAll(/#\w+/g, (id) => names[id] ?? id),
  );
  return (
    write.operation === "DeleteItem" ||
    asked.some((one) => /^(leaseCounter|leaseOwner) = |^attribute_exists\(leaseKey\)$/.test(one))
  );
}

/** The tables of KCL 3.1.2, whose workers are long gone, with rows as 3.5 keeps them among the leases; nothing is read yet. */
async function leaveBehind({ dynamo }: AwsClients): Promise<void> {
  const { applicationName } = subject;
  await restoreGoldenTables(dynamo, applicationName, "3.1.2-polling");
  const leases = goldenTables("3.1.2-polling").get("")?.items ?? [];
  const rows: LeaseItem[] = leases.map(({ leaseOwner: _, ...item }) => ({
    ...item,
    checkpoint: { S: "TRIM_HORIZON" },
  }));
  rows.push(
    { leaseKey: { S: "Leader" }, ownerName: { S: "0" }, entityType: { S: "LEADER" } },
    { leaseKey: { S: "Migration3.0" }, cv: { S: "CLIENT_VERSION_3X" } },
    { leaseKey: { S: "0" }, lut: { N: "5" }, entityType: { S: "WORKER_METRIC_STATS" } },
  );
  for (const Item of rows)
    await dynamo.call(new PutItemCommand({ TableName: applicationName, Item }), unstopped);
  const Item = { wid: { S: "0" }, lut: { N: "5" } };
  await dynamo.call(
    new PutItemCommand({ TableName: `${applicationName}-WorkerMetricStats`, Item }),
    unstopped,
  );
}

/** Every row that is no lease, of all three tables. */
async function foreignRows({ dynamo }: AwsClients): Promise<readonly LeaseItem[]> {
  const suffixes = ["", "-CoordinatorState", "-WorkerMetricStats"];
  const pages = await Promise.all(
    suffixes.map((suffix) =>
      dynamo.call(
        new ScanCommand({ TableName: `${subject.applicationName}${suffix}`, ConsistentRead: true }),
        unstopped,
      ),
    ),
  );
  const rows = pages.flatMap(({ Items = [] }) => Items);
  return rows.filter((item) => !item["leaseKey"]?.S?.startsWith("shardId-"));
}

function grantedBy({ Statement }: Awaited<ReturnType<AwsAccessCheck["policy"]>>): readonly string[] {
  return Statement.flatMap(({ Action, Resource }) =>
    Action.flatMap((action) => {
      const [service, operation] = action.split(":");
      return service === "dynamodb" ? [`${operation} ${Resource.split("table/")[1]}`] : [];
    }),
  );
}

async function work(clients: AwsClients, instanceId: string) {
  const consumer = new KinesisConsumer(
    clients,
    { ...host, releasePartition: () => Promise.resolve() },
    {
      ...usualOptions,
      ...subject,
      instanceId,
      retrieval: { kind: "polling", idleMs: 200 },
      failoverMs: 1_000,
      metricsLevel: "NONE",
    },
  );
  const stop = new AbortController();
  await consumer.open(stop.signal);
  return {
    consumer,
    stop: async () => {
      stop.abort(new Error("enough"));
      await consumer.close();
    },
  };
}
