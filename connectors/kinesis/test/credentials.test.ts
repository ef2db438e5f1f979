import { type KinesisDouble, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CredentialMode, credentialProvider, resolveCredentials } from "../src/credentials.ts";
import { KinesisConfigError } from "../src/index.ts";

type Name = NonNullable<Parameters<typeof resolveCredentials>[0]["awsCredentialPluginName"]>;

const role = { roleArn: "arn:aws:iam::123456789012:role/reader", roleSessionName: "pulsar" };

function resolve(awsCredentialPluginName: Name | undefined, param?: unknown): CredentialMode {
  const awsCredentialPluginParam =
    param === undefined || typeof param === "string" ? param : JSON.stringify(param);
  return resolveCredentials({ awsCredentialPluginName, awsCredentialPluginParam });
}

const endpoints = {
  region: "eu-west-1",
  kinesis: undefined,
  dynamodb: undefined,
  cloudwatch: undefined,
  sts: undefined,
  cloudwatchUnknown: false,
  leftAtAws: [],
};

describe("the credential mode", () => {
  it("is the keys themselves without a plugin", () => {
    expect(resolve(undefined, { accessKey: "AKIA", secretKey: "shh" })).toEqual({
      kind: "static",
      accessKeyId: "AKIA",
      secretAccessKey: "shh",
      sessionToken: undefined,
    });
  });

  it.each([
    "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
    "org.apache.pulsar.io.kinesis.AwsDefaultProviderChainPlugin",
  ] as const)("is the default chain for %s, parameters or not", (name) => {
    expect(resolve(name)).toEqual({ kind: "default-chain" });
    expect(resolve(name, "not json")).toEqual({ kind: "default-chain" });
  });

  it.each([
    "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin",
    "org.apache.pulsar.io.kinesis.STSAssumeRoleProviderPlugin",
  ] as const)("is the role for %s", (name) => {
    expect(resolve(name, role)).toEqual({ kind: "assume-role", ...role });
  });

  it.each([
    [undefined, "{", "awsCredentialPluginParam is not a JSON object"],
    [undefined, undefined, "awsCredentialPluginParam has no accessKey"],
    [undefined, { accessKey: "S3CR3T" }, "awsCredentialPluginParam has no secretKey"],
    [
      "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin",
      { roleArn: "x" },
      "awsCredentialPluginParam has no roleSessionName",
    ],
  ] as const)("of %s with %j is refused by name, not by content", (name, param, message) => {
    const failed = () => resolve(name, param);
    expect(failed).toThrow(KinesisConfigError);
    expect(failed).toThrow(message);
    expect(failed).not.toThrow("S3CR3T");
  });
});

describe("the credential provider", () => {
  let double: KinesisDouble;

  beforeEach(async () => {
    double = await startKinesisDouble();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAMASTER");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "master");
    vi.stubEnv("AWS_SESSION_TOKEN", undefined);
    vi.stubEnv("AWS_PROFILE", undefined);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await double.close();
  });

  it("gives the keys as they are, with a session token only if there is one", async () => {
    const mode = { kind: "static", accessKeyId: "AKIA", secretAccessKey: "shh" } as const;
    expect(await credentialProvider({ ...mode, sessionToken: undefined }, endpoints)()).toEqual({
      accessKeyId: "AKIA",
      secretAccessKey: "shh",
    });
    expect(await credentialProvider({ ...mode, sessionToken: "t" }, endpoints)()).toMatchObject({
      sessionToken: "t",
    });
  });

  it("asks the default chain", async () => {
    expect(await credentialProvider({ kind: "default-chain" }, endpoints)()).toMatchObject({
      accessKeyId: "AKIAMASTER",
      secretAccessKey: "master",
    });
  });

  it("lets the default chain assume the role at the STS of the environment, in the region", async () => {
    const sts = double.endpoint;
    const provider = credentialProvider({ kind: "assume-role", ...role }, { ...endpoints, sts });
    const identity = await provider();
    expect(double.ledger.assumedRoles).toEqual([
      {
        roleArn: role.roleArn,
        sessionName: "pulsar",
        by: "AKIAMASTER",
        region: "eu-west-1",
        accessKeyId: identity.accessKeyId,
        expiresMs: identity.expiration?.getTime(),
      },
    ]);
    expect(identity).toMatchObject({
      secretAccessKey: `secret of ${identity.accessKeyId}`,
      sessionToken: `token of ${identity.accessKeyId}`,
    });
  });

  it("says that STS refuses the role, without naming it", async () => {
    double.faults.deny("AssumeRole");
    const sts = double.endpoint;
    const provider = credentialProvider({ kind: "assume-role", ...role }, { ...endpoints, sts });
    await expect(provider()).rejects.toMatchObject({
      code: "PIO_KINESIS_CREDENTIALS",
      message: `the role in awsCredentialPluginParam could not be assumed at ${sts} (AccessDenied)`,
      retryable: false,
    });
  });
});
