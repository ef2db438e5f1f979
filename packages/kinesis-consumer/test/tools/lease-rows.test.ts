import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { startKinesisDouble } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { type AwsClients, createAwsClients, type DynamoService } from "../../src/aws-clients.ts";
import { AwsAccessCheck, LeaseTools } from "../../src/index.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { startDynalite } from "../support/start-dynalite.ts";
import { unstopped } from "../support/unstopped.ts";

const signal = new AbortController().signal;
const host = { clock: systemClock, logger: silentLogger, signal };
const subject = {
  streamName: "orders",
  applicationName: "orders-app",
  initialPosition: { kind: "latest" },
} as const;

function clientsOf(kinesisEndpoint: string, dynamoEndpoint: string): AwsClients {
  const credentials = { accessKeyId: "any", secretAccessKey: "any" };
  return createAwsClients({ region: "us-east-1", kinesisEndpoint, dynamoEndpoint, credentials });
}

async function put(
  dynamo: DynamoService,
  key: string,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const texts = Object.entries({ leaseKey: key, ...more }).map(([name, S]) => [name, { S }]);
  const Item = {
    ...Object.fromEntries(texts),
    leaseCounter: { N: "41" },
    x_ord: { N: "7" },
    x_startTs: { N: "1" },
  };
  await dynamo.call(new PutItemCommand({ TableName: "orders-app", Item }), unstopped);
}

describe("the rows of a lease table", () => {
  it("have nothing left of what was stored after a reset, but for the counter, and other kinds of rows stay", async () => {
    await using dynalite = await startDynalite();
    await using kinesis = await startKinesisDouble();
    kinesis.model.createStream("orders", 1);
    using clients = clientsOf(kinesis.endpoint, dynalite.endpoint);
    await new DynamoLeaseTable(clients.dynamo, { tableName: "orders-app", ...host }).ensure(signal);
    const stored = { checkpoint: "9".repeat(56) };
    await put(clients.dynamo, "shardId-000000000000", {
      ...stored,
      x_epoch: "e",
      x_ordSeq: "1",
      x_anchorSeq: "1",
      pendingCheckpoint: "2",
      throughputKBps: "3",
    });
    await put(clients.dynamo, "Leader", { entityType: "LEADER" });
    await new LeaseTools(clients, host, subject).reset({ kind: "latest" });
    const { Items = [] } = await clients.dynamo.call(new ScanCommand({ TableName: "orders-app" }), unstopped);
    const row = Items.find((item) => item["leaseKey"]?.S === "shardId-000000000000");
    expect(Object.keys(row ?? {}).sort()).toEqual([
      "checkpoint",
      "checkpointSubSequenceNumber",
      "endingHashKey",
      "entityType",
      "leaseCounter",
      "leaseKey",
      "ownerSwitchesSinceCheckpoint",
      "startingHashKey",
      "x_streamCreated",
      "x_streamName",
    ]);
    expect(row).toMatchObject({ checkpoint: { S: "LATEST" }, leaseCounter: { N: "42" } });
    expect(row?.["entityType"]).toEqual({ S: "LEASE" });
    expect(Items).toHaveLength(2);
  });

  it("are as they were after a check", async () => {
    await using dynalite = await startDynalite();
    await using kinesis = await startKinesisDouble();
    kinesis.model.createStream("orders", 1);
    using clients = clientsOf(kinesis.endpoint, dynalite.endpoint);
    await new DynamoLeaseTable(clients.dynamo, { tableName: "orders-app", ...host }).ensure(signal);
    await put(clients.dynamo, "shardId-000000000000", { checkpoint: "LATEST" });
    const scan = new ScanCommand({ TableName: "orders-app" });
    const { Items: before } = await clients.dynamo.call(scan, unstopped);
    const check = new AwsAccessCheck(clients, host, {
      ...subject,
      retrieval: { kind: "polling" },
      metricsLevel: "NONE",
    });
    for await (const { outcome } of check.run()) expect(outcome).toMatch(/^(ok|not-tried)$/);
    expect((await clients.dynamo.call(scan, unstopped)).Items).toEqual(before);
  });
});
