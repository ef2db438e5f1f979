import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type KinesisDouble, startKinesisDouble, TestClock } from "@pulsar-ts-io/testkit";
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

describe("credentials whose source hangs", () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();

  /** A server that does `answer` with each request. */
  async function listen(
    answer: (socket: Socket) => void,
  ): Promise<{ readonly url: string; requests: number }> {
    const seen = { url: "", requests: 0 };
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
      socket.on("data", () => {
        seen.requests += 1;
        answer(socket);
      });
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
    seen.url = `http://127.0.0.1:${port}`;
    return seen;
  }

  beforeEach(() => {
    for (const name of Object.keys(process.env).filter((key) => key.startsWith("AWS_")))
      vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere/config");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials");
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it("come from a second request when STS accepts the first one and never answers it", async () => {
    await using double = await startKinesisDouble();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIAMASTER");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "master");
    const silence = double.faults.silence("AssumeRole");
    const clock = new TestClock();
    const provider = credentialProvider(
      { kind: "assume-role", ...role },
      { ...endpoints, sts: double.endpoint },
      clock,
    );
    const identity = provider();
    await until(() => silence.hits === 1);
    await clock.advance(4_000);
    expect(await identity).toMatchObject({ accessKeyId: expect.stringMatching(/^ASIA/) });
  });

  it("end in a retryable error after 10 s when a container's agent stops in the middle of its answer, and are asked for again", async () => {
    let stalls = true;
    const body = JSON.stringify({
      AccessKeyId: "ASIA",
      SecretAccessKey: "s",
      Token: "t",
      Expiration: "2126-01-01T00:00:00Z",
    });
    const agent = await listen((socket) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
      socket.write(stalls ? head + body.slice(0, 10) : head + body);
    });
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${agent.url}/credentials`);
    const clock = new TestClock();
    const provider = credentialProvider({ kind: "default-chain" }, endpoints, clock);
    const failed = provider().catch((error: unknown) => error);
    await until(() => agent.requests === 1);
    await clock.advance(4_000);
    await until(() => agent.requests === 2);
    await clock.advance(6_000);
    expect(await failed).toMatchObject({
      code: "PIO_KINESIS_CREDENTIALS",
      retryable: true,
      message: "the default provider chain gave no AWS credentials within 10 s",
      remedy: expect.stringContaining("the container's agent"),
    });
    stalls = false;
    expect(await provider()).toMatchObject({ accessKeyId: "ASIA" });
  });

  it("end a credential_process that sleeps", async () => {
    const directory = await mkdtemp(join(tmpdir(), "credentials-"));
    const pidFile = join(directory, "pid");
    await writeFile(
      join(directory, "config"),
      `[default]\ncredential_process = ${process.execPath} -e "fs.writeFileSync('${pidFile}', String(process.pid)); setTimeout(() => {}, 600000)"\n`,
    );
    vi.stubEnv("AWS_CONFIG_FILE", join(directory, "config"));
    const clock = new TestClock();
    const provider = credentialProvider({ kind: "default-chain" }, endpoints, clock);
    const failed = provider().catch((error: unknown) => error);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
    const pid = Number(readFileSync(pidFile, "utf8"));
    await clock.advance(10_000);
    expect(await failed).toMatchObject({ code: "PIO_KINESIS_CREDENTIALS", retryable: true });
    await until(() => !isRunning(pid));
    await until(() => !isRunning(Number(readFileSync(pidFile, "utf8"))));
    await rm(directory, { recursive: true });
  }, 30_000);
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
