import { describe, expect, it } from "vitest";
import { readAwsFailure, translateAwsFailure } from "../src/aws-failure.ts";

const call = {
  service: "DynamoDB",
  operation: "UpdateItem",
  resource: 'lease table "orders-app"',
  region: "eu-west-1",
  endpoint: "https://dynamodb.eu-west-1.amazonaws.com",
  customEndpoint: false,
} as const;

/** As the SDK throws what a service has answered. */
function answered(name: string, httpStatusCode: number) {
  const error = Object.assign(new Error("told so"), { name, $metadata: { httpStatusCode, attempts: 1 } });
  return translateAwsFailure(readAwsFailure(error), call);
}

describe("an answer of AWS that says no", () => {
  it.each([
    ["TransactionConflictException", 400],
    ["TransactionInProgressException", 400],
    ["ReplicatedWriteConflictException", 400],
    ["RequestAbortedException", 400],
    ["RequestTimeout", 400],
    ["RequestTimeoutException", 408],
    ["InternalServerError", 500],
    ["ServiceUnavailable", 503],
  ])("is to be asked again when it may pass: %s with %i", (name, status) => {
    expect(answered(name, status)).toMatchObject({
      code: "PIO_AWS_UNAVAILABLE",
      retryable: true,
      message: `DynamoDB UpdateItem on lease table "orders-app" failed: told so (${name})`,
    });
  });

  it.each([
    ["ThrottlingException", 400],
    ["ProvisionedThroughputExceededException", 400],
    ["SlowDown", 503],
    ["Whatever", 429],
  ])("is to be asked again later when it is about load: %s with %i", (name, status) => {
    expect(answered(name, status)).toMatchObject({ code: "PIO_AWS_THROTTLED", retryable: true });
  });

  it.each([
    ["ValidationException", 400],
    ["ItemCollectionSizeLimitExceededException", 400],
    ["UnknownOperationException", 404],
  ])("is final otherwise: %s with %i", (name, status) => {
    expect(answered(name, status)).toMatchObject({ code: "PIO_AWS_REQUEST_REFUSED", retryable: false });
  });
});
