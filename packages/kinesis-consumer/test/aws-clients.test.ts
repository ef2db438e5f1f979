import { KinesisClient } from "@aws-sdk/client-kinesis";
import { describe, expect, it } from "vitest";
import { createAwsClients } from "../src/aws-clients.ts";

const credentials = { accessKeyId: "any", secretAccessKey: "any" };

describe("createAwsClients", () => {
  it("does without the step that copies every request and answer for the SDK's own log", () => {
    using clients = createAwsClients({ region: "us-east-1", credentials });
    const logs = (step: string) => step.startsWith("loggerMiddleware");
    expect(new KinesisClient({ region: "us-east-1" }).middlewareStack.identify().some(logs)).toBe(true);
    expect(clients.kinesis.middlewareStack.identify().some(logs)).toBe(false);
    expect(clients.dynamo.middlewareStack.identify().some(logs)).toBe(false);
  });
});
