import { type KinesisDouble, type ServiceErrorName, startKinesisDouble } from "@pulsar-ts-io/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt } from "../harness/attempt.ts";
import { startDynamoGate } from "../harness/dynamo-gate.ts";
import { unreachableMs } from "../harness/failed-start.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { LeaseRows } from "../harness/lease-rows.ts";
import { unusedAddress } from "../harness/unused-address.ts";
import { describeWithStack, type RunningStack, uniqueName } from "../stack.ts";

const secretKey = "canary/secret+access+key";
const identity = {
  awsCredentialPluginName: "",
  awsCredentialPluginParam: `{"accessKey": "\${env:BAD_INPUT_KEY}", "secretKey": "\${env:BAD_INPUT_SECRET}"}`,
};
const keys = { BAD_INPUT_KEY: "AKIACANARYCANARY", BAD_INPUT_SECRET: secretKey };
/** Kept out of every output and of the process list. */
const secrets = Object.values(keys);

describeWithStack("a start that AWS refuses", (stack) => {
  let stream: KinesisStream;

  beforeAll(async () => {
    stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName("bad-aws"), 1);
  });

  afterAll(async () => {
    await stream[Symbol.asyncDispose]();
  });

  it.concurrent("names stream, region and endpoint when there is no such stream", async () => {
    const attempt = new Attempt(stack, "no-such-stream");
    expect(await attempt.fails({})).toMatchObject({
      exitCode: 4,
      code: "PIO_STREAM_NOT_FOUND",
      error: `the source could not be opened: there is no stream "no-such-stream" in region us-east-1 at ${stack.kinesisEndpoint}`,
      remedy: expect.stringContaining("check the stream's name"),
    });
    await attempt.expectNoTable();
  });

  it.concurrent("points at the region when the stream is in another one", async () => {
    const attempt = new Attempt(stack, stream.name);
    expect(await attempt.fails({ config: { awsRegion: "eu-west-1" } })).toMatchObject({
      exitCode: 4,
      code: "PIO_STREAM_NOT_FOUND",
      error: `the source could not be opened: there is no stream "${stream.name}" in region eu-west-1 at ${stack.kinesisEndpoint}`,
      remedy: expect.stringContaining("a stream of that name may be in another region"),
    });
    await attempt.expectNoTable();
  });

  it.concurrent("names the address when Kinesis cannot be reached", async () => {
    const attempt = new Attempt(stack, stream.name);
    const endpoint = `http://${await unusedAddress()}`;
    const failure = await attempt.fails({ config: { awsEndpoint: endpoint } }, { withinMs: unreachableMs });
    expect(failure).toMatchObject({
      exitCode: 4,
      code: "PIO_AWS_UNREACHABLE",
      error: `the source could not be opened: Kinesis at ${endpoint} cannot be reached (ECONNREFUSED)`,
      remedy: `check that ${endpoint} is right and reachable from this machine`,
    });
    await attempt.expectNoTable();
  });

  it.concurrent("names the address when DynamoDB cannot be reached", async () => {
    const attempt = new Attempt(stack, stream.name);
    const endpoint = `http://${await unusedAddress()}`;
    const failure = await attempt.fails(
      { config: { dynamoEndpoint: endpoint } },
      { withinMs: unreachableMs },
    );
    expect(failure).toMatchObject({
      exitCode: 4,
      code: "PIO_AWS_UNREACHABLE",
      error: `the source could not be opened: DynamoDB at ${endpoint} cannot be reached (ECONNREFUSED)`,
      remedy: `check that ${endpoint} is right and reachable from this machine`,
    });
  });

  it.concurrent("says that there are no credentials when the default chain finds none", async () => {
    const attempt = new Attempt(stack, stream.name);
    const env = { HOME: "/nonexistent", AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    expect(await attempt.fails({}, { env })).toMatchObject({
      exitCode: 4,
      code: "PIO_KINESIS_CREDENTIALS",
      error: "the source could not be opened: the default provider chain found no AWS credentials",
      remedy: expect.stringMatching(/^set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE/),
    });
    await attempt.expectNoTable();
  });

  it.concurrent("names STS when the role cannot be assumed", async () => {
    const attempt = new Attempt(stack, stream.name);
    const endpoint = `http://${await unusedAddress()}`;
    const config = {
      awsCredentialPluginName: "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin",
      awsCredentialPluginParam: JSON.stringify({
        roleArn: "arn:aws:iam::123456789012:role/reader",
        roleSessionName: "nightly",
      }),
    };
    const env = { AWS_ENDPOINT_URL_STS: endpoint };
    expect(await attempt.fails({ config }, { env, withinMs: unreachableMs })).toMatchObject({
      exitCode: 4,
      code: "PIO_KINESIS_CREDENTIALS",
      error: `the source could not be opened: the role in awsCredentialPluginParam could not be assumed at ${endpoint} (ECONNREFUSED)`,
      remedy: expect.stringContaining("check that STS can be reached there"),
    });
    await attempt.expectNoTable();
  });

  it.concurrent("names the permission for fan-out that is missing, and the setting that does without", async () => {
    const attempt = new Attempt(stack, stream.name);
    await using kinesis = await refusingKinesis(
      stream.name,
      "DescribeStreamConsumer",
      "AccessDeniedException",
    );
    const config = { ...identity, awsEndpoint: kinesis.endpoint, useEnhancedFanOut: true };
    expect(await attempt.fails({ config }, { env: keys, secrets })).toMatchObject({
      exitCode: 4,
      code: "PIO_AWS_ACCESS_DENIED",
      error: `the source could not be opened: Kinesis DescribeStreamConsumer on stream "${stream.name}" was denied: the IAM permission kinesis:DescribeStreamConsumer is missing`,
      remedy: expect.stringContaining("set useEnhancedFanOut: false to read by polling"),
    });
  });

  it.concurrent.each([
    {
      operation: "*",
      refusal: "UnrecognizedClientException",
      code: "PIO_AWS_CREDENTIALS",
      error: "was refused: the credentials are missing or not valid",
      remedy: "check the access key, its secret and, for temporary ones, the session token",
    },
    {
      operation: "ListShards",
      refusal: "AccessDeniedException",
      code: "PIO_AWS_ACCESS_DENIED",
      error: "was denied: the IAM permission kinesis:ListShards is missing",
      remedy: "allow kinesis:ListShards on the stream",
    },
  ] as const)("says what Kinesis refuses: $refusal for $operation", async (row) => {
    const attempt = new Attempt(stack, stream.name);
    await using kinesis = await refusingKinesis(stream.name, row.operation, row.refusal);
    const config = { ...identity, awsEndpoint: kinesis.endpoint };
    const failure = await attempt.fails({ config }, { env: keys, secrets });
    expect(failure).toMatchObject({
      exitCode: 4,
      code: row.code,
      error: expect.stringMatching(/^the source could not be opened: Kinesis \w+ on stream "/),
      remedy: expect.stringContaining(row.remedy),
    });
    expect(failure.error).toContain(`on stream "${stream.name}" ${row.error}`);
    await attempt.expectNoTable();
  });

  it.concurrent.each(["GetShardIterator", "GetRecords"])(
    "releases what it took when Kinesis denies %s",
    async (operation) => {
      const attempt = new Attempt(stack, stream.name);
      await using kinesis = await refusingKinesis(stream.name, operation, "AccessDeniedException");
      const config = { ...identity, awsEndpoint: kinesis.endpoint };
      expect(await attempt.fails({ config }, { env: keys, secrets })).toMatchObject({
        exitCode: 1,
        code: "PIO_AWS_ACCESS_DENIED",
        error: `the source failed: Kinesis ${operation} on stream "${stream.name}" was denied: the IAM permission kinesis:${operation} is missing`,
        remedy: expect.stringContaining(`allow kinesis:${operation} on the stream "${stream.name}"`),
      });
      using leases = new LeaseRows(stack.dynamoEndpoint);
      expect(await leases.of(attempt.applicationName)).toHaveLength(1);
      expect(await leases.owners(attempt.applicationName)).toEqual([]);
    },
  );

  it.concurrent.each(["CreateTable", "DescribeTable"])(
    "says which permission on the lease table is missing, and leaves none behind: %s",
    async (operation) => {
      const attempt = new Attempt(stack, stream.name);
      expect(await failsAtTable(stack, attempt, "AccessDeniedException", [operation])).toMatchObject({
        exitCode: 4,
        code: "PIO_AWS_ACCESS_DENIED",
        error: `the source could not be opened: DynamoDB ${operation} on lease table "${attempt.applicationName}" was denied: the IAM permission dynamodb:${operation} is missing`,
        remedy: expect.stringContaining(`allow dynamodb:${operation} on the lease table`),
      });
      await attempt.expectNoTable();
    },
  );

  it.concurrent.each(["Scan", "PutItem"])(
    "says which permission on the lease table is missing, and creates no lease: %s",
    async (operation) => {
      const attempt = new Attempt(stack, stream.name);
      expect(await failsAtTable(stack, attempt, "AccessDeniedException", [operation])).toMatchObject({
        exitCode: 4,
        code: "PIO_AWS_ACCESS_DENIED",
        error: `the source could not be opened: DynamoDB ${operation} on lease table "${attempt.applicationName}" was denied: the IAM permission dynamodb:${operation} is missing`,
      });
      using leases = new LeaseRows(stack.dynamoEndpoint);
      expect(await leases.of(attempt.applicationName)).toEqual([]);
    },
  );

  it.concurrent("says that leases cannot be taken without the permission to update", async () => {
    const attempt = new Attempt(stack, stream.name);
    const failure = await failsAtTable(stack, attempt, "AccessDeniedException", ["UpdateItem"]);
    expect(failure).toMatchObject({
      exitCode: 1,
      code: "PIO_AWS_ACCESS_DENIED",
      error: `the source failed: DynamoDB UpdateItem on lease table "${attempt.applicationName}" was denied: the IAM permission dynamodb:UpdateItem is missing`,
    });
    using leases = new LeaseRows(stack.dynamoEndpoint);
    expect(await leases.owners(attempt.applicationName)).toEqual([]);
  });

  it.concurrent("says that DynamoDB refuses the credentials", async () => {
    const attempt = new Attempt(stack, stream.name);
    const operations = ["CreateTable", "DescribeTable", "Scan"];
    expect(await failsAtTable(stack, attempt, "UnrecognizedClientException", operations)).toMatchObject({
      exitCode: 4,
      code: "PIO_AWS_CREDENTIALS",
      error: expect.stringMatching(
        /^the source could not be opened: DynamoDB \w+ on lease table ".+" was refused: the credentials are missing or not valid$/,
      ),
    });
    await attempt.expectNoTable();
  });
});

/** A Kinesis that has the stream, and refuses an operation on it. */
async function refusingKinesis(
  streamName: string,
  operation: string,
  refusal: ServiceErrorName,
): Promise<KinesisDouble> {
  const kinesis = await startKinesisDouble();
  kinesis.model.createStream(streamName, 1);
  kinesis.faults.refuse(operation, refusal, { count: Number.POSITIVE_INFINITY });
  return kinesis;
}

/** A start before a DynamoDB that refuses `operations`. */
async function failsAtTable(
  stack: RunningStack,
  attempt: Attempt,
  refusal: string,
  operations: readonly string[],
) {
  await using gate = await startDynamoGate(stack.dynamoEndpoint, refusal, operations);
  return await attempt.fails(
    { config: { ...identity, dynamoEndpoint: gate.endpoint } },
    { env: keys, secrets },
  );
}
