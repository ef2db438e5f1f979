import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { createAwsClients } from "../../src/aws-clients.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { type LeaseItem, newLeaseItem } from "../../src/lease/lease-item.ts";
import { type AwsAnswer, startAwsStub } from "../support/aws-stub.ts";
import { newLease } from "../support/lease-writes.ts";
import { idOf } from "../support/rig.ts";

const signal = new AbortController().signal;
const stamp = { streamName: "orders", streamCreatedMs: undefined };
const ids = Array.from({ length: 1_200 }, (_, index) => idOf(index));
const leases = ids.map((id) => newLease(id));

interface Transaction {
  readonly TransactItems: readonly { readonly Put: { readonly Item: LeaseItem } }[];
}

describe("a lease table of 1,200 leases", () => {
  it("is made a hundred leases at a time, in their order", async () => {
    await using server = await startAwsStub(() => ({ status: 200, body: {} }));
    using clients = clientsOf(server.endpoint);
    expect(await tableOf(clients).create(leases, stamp, signal)).toEqual(ids);
    expect(new Set(server.calls)).toEqual(new Set(["TransactWriteItems"]));
    const made = (server.bodies as readonly Transaction[]).map(({ TransactItems }) =>
      TransactItems.map(({ Put }) => Put.Item["leaseKey"]?.S),
    );
    expect(made.map((chunk) => chunk.length)).toEqual(Array<number>(12).fill(100));
    expect(made.flat()).toEqual(ids);
  });

  it("is read page by page, each from where the one before has ended, also a page without a lease", async () => {
    const pages = [ids.slice(0, 700), [], ids.slice(700)];
    const answers = pages.map(
      (page, index): AwsAnswer => ({
        status: 200,
        body: {
          Items: page.map((id) => newLeaseItem(newLease(id), stamp, { typed: false })),
          ...(index === 2 ? {} : { LastEvaluatedKey: { leaseKey: { S: `page ${index}` } } }),
        },
      }),
    );
    await using server = await startAwsStub(() => answers.shift() ?? { status: 500, body: {} });
    using clients = clientsOf(server.endpoint);
    const listed = await tableOf(clients).list({ consistent: false }, signal);
    expect(listed.map(({ shardId }) => shardId)).toEqual(ids);
    expect(server.bodies).toMatchObject([
      {},
      { ExclusiveStartKey: { leaseKey: { S: "page 0" } } },
      { ExclusiveStartKey: { leaseKey: { S: "page 1" } } },
    ]);
    expect(server.bodies[0]).not.toHaveProperty("ExclusiveStartKey");
  });
});

function clientsOf(dynamoEndpoint: string) {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return createAwsClients({ region: "us-east-1", dynamoEndpoint, credentials });
}

function tableOf({ dynamo }: ReturnType<typeof clientsOf>): DynamoLeaseTable {
  return new DynamoLeaseTable(dynamo, { tableName: "orders", clock: systemClock, logger: silentLogger });
}
