import { CreateTableCommand, PutItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, describe, expect, it } from "vitest";
import { describeWithStack, uniqueName } from "../../../../test/stack.ts";
import { createAwsClients } from "../../src/aws-clients.ts";
import { DynamoKcl3State } from "../../src/lease/dynamo-kcl3-state.ts";
import type { LeaseItem } from "../../src/lease/lease-item.ts";
import { awsError, startAwsStub } from "../support/aws-stub.ts";
import { restoreGoldenTables } from "../support/golden-tables.ts";
import { unstopped } from "../support/unstopped.ts";

const signal = new AbortController().signal;

function clientsOf(dynamoEndpoint: string) {
  return createAwsClients({
    region: "us-east-1",
    dynamoEndpoint,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}

describeWithStack("DynamoKcl3State on DynamoDB Local", ({ dynamoEndpoint }) => {
  const clients = clientsOf(dynamoEndpoint);
  afterAll(() => clients.destroy());

  it("reads the tables that KCL 3.1.2 left behind", async () => {
    const name = uniqueName("kcl3");
    await restoreGoldenTables(clients.dynamo, name, "3.1.2-polling");
    expect(await new DynamoKcl3State(clients.dynamo, name).read(signal)).toEqual({
      clientVersion: "CLIENT_VERSION_3X",
      leader: "0",
      leaderBeat: "0 b2a5bf8b-1684-4d19-ad31-ad59182f62df",
      metricsSeconds: new Map([["0", 1_795_336_571]]),
      ownerIndex: true,
    });
  });

  it("takes a lock that was released for no leader", async () => {
    const name = uniqueName("kcl3");
    await restoreGoldenTables(clients.dynamo, name, "3.1.2-polling");
    await clients.dynamo.call(
      new UpdateItemCommand({
        TableName: `${name}-CoordinatorState`,
        Key: { key: { S: "Leader" } },
        UpdateExpression: "SET isReleased = :yes",
        ExpressionAttributeValues: { ":yes": { S: "1" } },
      }),
      unstopped,
    );
    expect(await new DynamoKcl3State(clients.dynamo, name).read(signal)).toMatchObject({
      clientVersion: "CLIENT_VERSION_3X",
      leaderBeat: undefined,
    });
  });

  it("reads the rows that KCL 3.5 keeps in the lease table, which win over those of tables it has left", async () => {
    const name = uniqueName("kcl3");
    await restoreGoldenTables(clients.dynamo, name, "3.1.2-polling");
    const rows: readonly LeaseItem[] = [
      { leaseKey: { S: "Migration3.0" }, cv: { S: "CLIENT_VERSION_UPGRADE_FROM_2X" } },
      { leaseKey: { S: "Leader" }, ownerName: { S: "1" }, recordVersionNumber: { S: "b" } },
      { leaseKey: { S: "1" }, lut: { N: "5" }, entityType: { S: "WORKER_METRIC_STATS" } },
    ];
    for (const Item of rows)
      await clients.dynamo.call(new PutItemCommand({ TableName: name, Item }), unstopped);
    expect(await new DynamoKcl3State(clients.dynamo, name).read(signal)).toEqual({
      clientVersion: "CLIENT_VERSION_UPGRADE_FROM_2X",
      leader: "1",
      leaderBeat: "1 b",
      metricsSeconds: new Map([
        ["0", 1_795_336_571],
        ["1", 5],
      ]),
      ownerIndex: true,
    });
  });

  it("finds nothing beside a table of KCL 2, and nothing where there is no table", async () => {
    const name = uniqueName("kcl2");
    const reader = new DynamoKcl3State(clients.dynamo, name);
    const nothing = {
      clientVersion: undefined,
      leader: undefined,
      leaderBeat: undefined,
      metricsSeconds: new Map(),
      ownerIndex: false,
    };
    expect(await reader.read(signal)).toEqual(nothing);
    await clients.dynamo.call(
      new CreateTableCommand({
        TableName: name,
        KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
        AttributeDefinitions: [{ AttributeName: "leaseKey", AttributeType: "S" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
      unstopped,
    );
    expect(await reader.read(signal)).toEqual(nothing);
  });
});

describe("DynamoKcl3State", () => {
  it.each(["AccessDeniedException", "ResourceNotFoundException"])(
    "finds nothing when the answer to everything is %s",
    async (name) => {
      await using stub = await startAwsStub(() => awsError(name, "no"));
      using clients = clientsOf(stub.endpoint);
      const state = await new DynamoKcl3State(clients.dynamo, "orders-app").read(signal);
      expect(state).toMatchObject({ clientVersion: undefined, leaderBeat: undefined });
    },
  );

  it("says that it could not look when the table is throttled", async () => {
    await using stub = await startAwsStub(() => awsError("ThrottlingException", "slow down"));
    using clients = clientsOf(stub.endpoint);
    await expect(new DynamoKcl3State(clients.dynamo, "orders-app").read(signal)).rejects.toMatchObject({
      code: "PIO_AWS_THROTTLED",
      retryable: true,
    });
  });
});
