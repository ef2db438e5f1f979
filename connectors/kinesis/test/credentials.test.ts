import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
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
  let server: Server;
  let sts: string;
  const requests: { readonly authorization: string; readonly body: URLSearchParams }[] = [];

  beforeEach(async () => {
    requests.length = 0;
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      requests.push({
        authorization: request.headers.authorization ?? "",
        body: new URLSearchParams(Buffer.concat(chunks).toString()),
      });
      response.setHeader("content-type", "text/xml");
      response.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>temporary</SecretAccessKey><SessionToken>token</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    sts = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAMASTER");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "master");
    vi.stubEnv("AWS_SESSION_TOKEN", undefined);
    vi.stubEnv("AWS_PROFILE", undefined);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
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
    const provider = credentialProvider({ kind: "assume-role", ...role }, { ...endpoints, sts });
    expect(await provider()).toMatchObject({
      accessKeyId: "ASIA",
      secretAccessKey: "temporary",
      sessionToken: "token",
    });
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request?.authorization).toMatch(/Credential=AKIAMASTER\/\d{8}\/eu-west-1\/sts\//);
    expect(Object.fromEntries(request?.body ?? [])).toMatchObject({
      Action: "AssumeRole",
      RoleArn: role.roleArn,
      RoleSessionName: "pulsar",
    });
  });
});
