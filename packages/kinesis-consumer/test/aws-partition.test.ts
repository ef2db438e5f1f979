import { describe, expect, it } from "vitest";
import { createAwsClients } from "../src/aws-clients.ts";
import { isKnownRegion, partitionName, readAwsHost } from "../src/aws-partition.ts";

describe("the name of a host", () => {
  it.each([
    ["kinesis.eu-west-1.amazonaws.com", "eu-west-1"],
    ["kinesis.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["kinesis.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"],
    ["kinesis.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"],
    ["kinesis.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"],
    ["kinesis-fips.us-gov-west-1.api.aws", "us-gov-west-1"],
    ["kinesis.eu-west-1.api.aws", "eu-west-1"],
    ["kinesis.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"],
    ["vpce-0a1b-2c.kinesis.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"],
    ["vpce-0a1b-2c.kinesis.cn-north-1.vpce.amazonaws.com.cn", "cn-north-1"],
    ["123456789012.data-kinesis.eu-west-1.amazonaws.com", "eu-west-1"],
    ["sts.amazonaws.com", undefined],
  ])("is AWS's and says the region: %s", (host, region) => {
    expect(readAwsHost(host)).toEqual({ region });
  });

  it.each([
    "localhost",
    "127.0.0.1",
    "localhost.localstack.cloud",
    "kinesis.eu-west-1.example.com",
    "amazonaws.com.evil.example",
    "notamazonaws.com",
    "",
  ])("is not AWS's: %s", (host) => {
    expect(readAwsHost(host)).toBeUndefined();
  });

  it.each([
    "us-east-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "eusc-de-east-1",
  ])("is recognized for every service that the SDK calls in %s", async (region) => {
    const credentials = { accessKeyId: "any", secretAccessKey: "any" };
    using clients = createAwsClients({ region, credentials, cloudwatch: {} });
    for (const service of [clients.kinesis, clients.dynamo, clients.cloudwatch]) {
      const where = await service?.describe({ cause: new Error("any") });
      const { hostname } = new URL(where?.endpoint ?? "");
      expect(hostname).toContain(region);
      expect(readAwsHost(hostname)).toEqual({ region });
    }
  });
});

describe("a region", () => {
  it.each([
    ["eu-west-1", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
    ["us-iso-east-1", "aws-iso"],
    ["eusc-de-east-1", "aws-eusc"],
  ])("has ARNs of its partition: %s", (region, name) => {
    expect(partitionName(region)).toBe(name);
  });

  it("is known when AWS has it, and not by its shape alone", () => {
    expect(isKnownRegion("eu-west-1")).toBe(true);
    expect(isKnownRegion("eu-west-99")).toBe(false);
    expect(isKnownRegion("nowhere")).toBe(false);
  });
});
