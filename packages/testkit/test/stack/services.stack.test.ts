import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { expect, it } from "vitest";
import { describeWithStack } from "../../../../test/stack.ts";
import { type LocalService, startDynalite, startKinesisLocal } from "../../src/index.ts";
import { isAlive } from "../../src/stack/processes.ts";
import { KinesisStage } from "../kinesis/kinesis-stage.ts";

describeWithStack("the services of the stack", (stack) => {
  const client = ({ endpoint }: Pick<LocalService, "endpoint">) =>
    new DynamoDBClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
    });

  it("include a DynamoDB without Java, which is gone when it is stopped", async () => {
    const dynalite = await startDynalite();
    await client(dynalite).send(
      new CreateTableCommand({
        TableName: "leases",
        AttributeDefinitions: [{ AttributeName: "leaseKey", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    const { TableNames } = await client(dynalite).send(new ListTablesCommand({}));
    expect(TableNames).toEqual(["leases"]);
    await dynalite.stop();
    await dynalite.stop();
    expect(isAlive(dynalite.pid)).toBe(false);
  });

  it("include Amazon's own DynamoDB", async () => {
    const { TableNames } = await client({ endpoint: stack.dynamoEndpoint }).send(new ListTablesCommand({}));
    expect(Array.isArray(TableNames)).toBe(true);
  });

  it("include a Kinesis that has the streams asked for from the start", async () => {
    await using kinesis = await startKinesisLocal({ streams: { first: 2, second: 1 } });
    const stage = new KinesisStage(kinesis.endpoint);
    await stage.active("first");
    expect(await stage.ids({ StreamName: "first" })).toHaveLength(2);
    expect(await stage.ids({ StreamName: "second" })).toHaveLength(1);
  });
});
