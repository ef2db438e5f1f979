import { silentLogger, systemClock } from "@pulsar-ts-io/core";
import { describe, expect, it } from "vitest";
import { createAwsClients } from "../../src/aws-clients.ts";
import { DynamoLeaseTable } from "../../src/lease/dynamo-lease-table.ts";
import { asCreated } from "../../src/lease/lease-maker.ts";
import { type AwsAnswer, awsError, startAwsStub } from "../support/aws-stub.ts";
import { newLease, sinceMs, stamp } from "../support/lease-writes.ts";
import { idOf } from "../support/rig.ts";

const { signal } = new AbortController();
const conflict = awsError("TransactionConflictException", "Transaction is ongoing for the item");
const cancelled = awsError(
  "TransactionCanceledException",
  "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]",
);

/** Workers that start together on an empty table create the same leases in transactions, which DynamoDB Local has one after the other. */
describe("a write that meets another worker's transaction", () => {
  async function answering<T>(
    answer: (operation: string) => AwsAnswer,
    call: (table: DynamoLeaseTable) => Promise<T>,
  ): Promise<T> {
    await using dynamo = await startAwsStub(answer);
    using clients = createAwsClients({
      region: "us-east-1",
      dynamoEndpoint: dynamo.endpoint,
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
    });
    const options = { tableName: "orders-app", clock: systemClock, logger: silentLogger };
    return await call(new DynamoLeaseTable(clients.dynamo, options));
  }

  it("is to be tried again when it creates leases", async () => {
    const created = answering(
      (operation) => (operation === "TransactWriteItems" ? cancelled : conflict),
      (table) => table.create([newLease(idOf(0)), newLease(idOf(1))], stamp, signal),
    );
    await expect(created).rejects.toMatchObject({ code: "PIO_AWS_UNAVAILABLE", retryable: true });
  });

  it("is to be tried again when it takes a lease, and was not done", async () => {
    const lease = asCreated(newLease(idOf(0)), stamp);
    const outcome = await answering(
      () => conflict,
      (table) => table.take(lease, "me", { stamp, startTimeMs: undefined, sinceMs }, signal),
    );
    expect(outcome).toMatchObject({ kind: "failed", error: { retryable: true }, mayHaveLanded: false });
  });
});
