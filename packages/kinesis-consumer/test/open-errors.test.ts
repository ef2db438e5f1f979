import { type Clock, silentMeter, silentTroubles, systemClock } from "@pulsar-ts-io/core";
import { RecordingLogger } from "@pulsar-ts-io/testkit";
import { describe, expect, it, vi } from "vitest";
import {
  type AwsClientOptions,
  type ConsumerOptions,
  createAwsClients,
  KinesisConsumer,
} from "../src/index.ts";
import { type AwsAnswer, awsError, startAwsStub } from "./support/aws-stub.ts";
import { usualOptions } from "./support/consumer-options.ts";
import { idOf, Rig, unavailable } from "./support/rig.ts";

// Minutes pass in these tests: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 30_000 });

/** Twenty seconds in one: the pauses are those of the consumer, the answers those of a real server. */
const hurriedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now() * 20,
  sleep: (ms, signal) => systemClock.sleep(ms / 20, signal),
};

const lastHashKey = String(2n ** 128n - 1n);

/** Opens a consumer on a Kinesis double and a stub of DynamoDB. @returns what it was refused with, and what was called. */
async function openError(
  options: {
    readonly dynamo?: (operation: string) => AwsAnswer;
    readonly kinesis?: (operation: string) => AwsAnswer;
    readonly clients?: Partial<AwsClientOptions>;
    readonly consumer?: Partial<ConsumerOptions>;
  } = {},
) {
  await using dynamo = await startAwsStub(options.dynamo ?? (() => noTable));
  await using kinesis = await startAwsStub(options.kinesis ?? answerKinesis);
  using clients = createAwsClients({
    region: "us-east-1",
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: dynamo.endpoint,
    credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "hush-hush" },
    ...options.clients,
  });
  const host = {
    clock: hurriedClock,
    logger: new RecordingLogger(),
    meter: silentMeter,
    troubles: silentTroubles,
    releasePartition: () => Promise.resolve(),
  };
  await using consumer = new KinesisConsumer(clients, host, { ...usualOptions, ...options.consumer });
  const stop = new AbortController();
  const error = await consumer.open(stop.signal).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return {
    error,
    calls: [...dynamo.calls],
    kinesisEndpoint: kinesis.endpoint,
    dynamoEndpoint: dynamo.endpoint,
  };
}

describe("opening", () => {
  it("says which stream is missing, where it looked, and creates no table for it", async () => {
    const { error, calls, kinesisEndpoint } = await openError({
      kinesis: () => awsError("ResourceNotFoundException", "Stream orders under account 1 not found."),
    });
    expect(error).toMatchObject({
      code: "PIO_STREAM_NOT_FOUND",
      message: `there is no stream "orders" in region us-east-1 at ${kinesisEndpoint}`,
      remedy: expect.stringContaining("check the stream's name"),
    });
    expect(calls).not.toContain("CreateTable");
  });

  it("names the permission that is missing on Kinesis", async () => {
    const { error } = await openError({
      kinesis: (operation) =>
        awsError("AccessDeniedException", `User x is not authorized to perform: kinesis:${operation}`),
    });
    expect(error).toMatchObject({
      code: "PIO_AWS_ACCESS_DENIED",
      message: expect.stringContaining("the IAM permission kinesis:ListShards is missing"),
      remedy: expect.stringContaining("kinesis:ListShards"),
    });
  });

  it.each(["DescribeTable", "CreateTable", "Scan"])(
    "names the permission that is missing on DynamoDB: %s",
    async (denied) => {
      const { error } = await openError({
        dynamo: (operation) => {
          if (operation === denied) return awsError("AccessDeniedException", "not authorized");
          return denied === "CreateTable" ? noTable : table;
        },
      });
      expect(error).toMatchObject({
        code: "PIO_AWS_ACCESS_DENIED",
        message: expect.stringContaining(`the IAM permission dynamodb:${denied} is missing`),
        remedy: expect.stringContaining('lease table "orders-app"'),
      });
    },
  );

  it("does without the permission to describe the stream, which KCL never needed", async () => {
    const { error } = await openError({
      kinesis: (operation) =>
        operation === "DescribeStreamSummary"
          ? awsError("AccessDeniedException", "not authorized")
          : answerKinesis(operation),
      dynamo: (operation) => (operation === "Scan" ? scan([]) : awsError("AccessDeniedException", "no")),
    });
    expect(error).toMatchObject({ message: expect.stringContaining("dynamodb:DescribeTable") });
  });

  it.each([
    ["UnrecognizedClientException", "The security token included in the request is invalid."],
    ["InvalidSignatureException", "The request signature we calculated does not match"],
    ["ExpiredTokenException", "The security token included in the request is expired"],
  ])(
    "says that the credentials are refused: %s",
    async (name, message) => {
      const { error } = await openError({ kinesis: () => awsError(name, message) });
      expect(error).toMatchObject({
        code: "PIO_AWS_CREDENTIALS",
        message: expect.stringContaining("credentials"),
        remedy: expect.any(String),
      });
      expect(JSON.stringify(error)).not.toContain("hush-hush");
    },
    10_000,
  );

  it("says that the credentials cannot be had", async () => {
    const { error } = await openError({
      clients: {
        credentials: () =>
          Promise.reject(Object.assign(new Error("no profile"), { name: "CredentialsProviderError" })),
      },
    });
    expect(error).toMatchObject({ code: "PIO_AWS_CREDENTIALS", retryable: false });
  });

  it("says that the endpoint serves another region", async () => {
    const { error } = await openError({
      kinesis: () =>
        awsError(
          "InvalidSignatureException",
          "Credential should be scoped to a valid region, not 'us-east-1'.",
        ),
    });
    expect(error).toMatchObject({
      code: "PIO_AWS_REGION",
      message: expect.stringContaining("does not serve the region us-east-1"),
    });
  });

  it("names the service and the endpoint that cannot be reached, within seconds", async () => {
    const started = performance.now();
    const gone = await startAwsStub(() => noTable);
    await gone[Symbol.asyncDispose]();
    const kinesis = await openError({ clients: { kinesisEndpoint: gone.endpoint } });
    expect(kinesis.error).toMatchObject({
      code: "PIO_AWS_UNREACHABLE",
      message: `Kinesis at ${gone.endpoint} cannot be reached (ECONNREFUSED)`,
    });
    const dynamo = await openError({ clients: { dynamoEndpoint: gone.endpoint } });
    expect(dynamo.error).toMatchObject({
      code: "PIO_AWS_UNREACHABLE",
      message: `DynamoDB at ${gone.endpoint} cannot be reached (ECONNREFUSED)`,
    });
    expect(performance.now() - started).toBeLessThan(20_000);
  }, 30_000);

  it("names the permission for enhanced fan-out that is missing, and the setting that does without", async () => {
    const rig = new Rig();
    rig.service.faults.deny("DescribeStreamConsumer");
    await expect(rig.start({ retrieval: { kind: "fan-out", consumerName: "app" } })).rejects.toMatchObject({
      code: "PIO_AWS_ACCESS_DENIED",
      message: expect.stringContaining("the IAM permission kinesis:DescribeStreamConsumer is missing"),
      remedy: expect.stringContaining("set useEnhancedFanOut: false"),
    });
  });

  it("says that the stream has as many fan-out consumers as it may, and names the setting that does without", async () => {
    const rig = new Rig();
    const always = { count: Number.POSITIVE_INFINITY };
    rig.service.faults.refuse("DescribeStreamConsumer", "ResourceNotFoundException", always);
    rig.service.faults.refuse("RegisterStreamConsumer", "LimitExceededException", always);
    await expect(rig.start({ retrieval: { kind: "fan-out", consumerName: "app" } })).rejects.toMatchObject({
      code: "PIO_FAN_OUT_UNAVAILABLE",
      message: expect.stringContaining(
        'no consumer can be registered for enhanced fan-out of stream "orders"',
      ),
      remedy: expect.stringContaining("set useEnhancedFanOut: false"),
    });
    expect(rig.clock.monotonic()).toBeLessThan(35_000);
  });

  it.each([
    ["DescribeStreamConsumer", "LimitExceededException"],
    ["DescribeStreamConsumer", "ProvisionedThroughputExceededException"],
    ["DescribeStreamSummary", "LimitExceededException"],
    ["RegisterStreamConsumer", "LimitExceededException"],
  ] as const)(
    "waits for enhanced fan-out while %s is throttled for a while: %s",
    async (operation, error) => {
      const rig = new Rig();
      const texts = rig.put(10);
      const effect = { kind: "refuse", error, message: "Rate exceeded for consumer" } as const;
      const fault = rig.service.faults.add({ operation, count: Number.POSITIVE_INFINITY, effect });
      const fallback = { kind: "polling", idleMs: 1_000 } as const;
      const worker = rig.worker({ retrieval: { kind: "fan-out", consumerName: "app", fallback } });
      const opening = rig.openWorker(worker);
      const lifting = rig.clock.sleep(25_000, worker.stop.signal).then(() => {
        expect(worker.troubles.current()).toMatchObject([
          { what: "consumer for enhanced fan-out", code: "PIO_AWS_THROTTLED", blocking: true },
        ]);
        fault.lift();
      });
      await Promise.all([opening, lifting]);
      expect(worker.troubles.current()).toEqual([]);
      await rig.until(() => worker.records.length === texts.length);
      expect(rig.service.calls("SubscribeToShard")).toBeGreaterThan(0);
      expect(rig.service.calls("GetRecords")).toBe(0);
      await rig.close(worker);
    },
  );

  it("reports a throttle of enhanced fan-out that lasts, and never polls instead because of one", async () => {
    const rig = new Rig();
    const always = { count: Number.POSITIVE_INFINITY };
    rig.service.faults.refuse("DescribeStreamConsumer", "LimitExceededException", always);
    const fallback = { kind: "polling", idleMs: 1_000 } as const;
    await expect(
      rig.start({ retrieval: { kind: "fan-out", consumerName: "app", fallback } }),
    ).rejects.toMatchObject({ code: "PIO_AWS_THROTTLED", retryable: true });
    expect(rig.clock.monotonic()).toBeGreaterThan(59_000);
  });

  it("registers its consumer once others that are being created leave room", async () => {
    const rig = new Rig();
    const effect = { kind: "refuse", error: "LimitExceededException" } as const;
    const fault = rig.service.faults.add({ operation: "RegisterStreamConsumer", count: 20, effect });
    const worker = await rig.start({ retrieval: { kind: "fan-out", consumerName: "app" } });
    expect(fault.hits).toBe(20);
    await rig.close(worker);
  });

  it("polls instead, with one warning, when that is allowed", async () => {
    const rig = new Rig(3);
    rig.service.faults.deny("DescribeStreamConsumer");
    const texts = rig.put(10);
    const fallback = { kind: "polling", idleMs: 1_000 } as const;
    const worker = await rig.start({ retrieval: { kind: "fan-out", consumerName: "app", fallback } });
    await rig.until(() => worker.records.length === texts.length);
    const warnings = rig.logger.lines.filter((line) => line.level === "warn");
    expect(warnings.map((line) => line.message)).toEqual([
      "enhanced fan-out cannot be had, reading by polling instead",
    ]);
    await rig.close(worker);
  });

  it("refuses an application name that cannot name a table, before anything is created", async () => {
    const { error, calls } = await openError({ consumer: { applicationName: "My test application" } });
    expect(error).toMatchObject({ code: "PIO_LEASE_TABLE_NAME" });
    expect(calls).toEqual([]);
  });

  it("refuses a table that is no lease table", async () => {
    const { error } = await openError({
      dynamo: () => ({ status: 200, body: { Table: { TableStatus: "ACTIVE", KeySchema: [] } } }),
    });
    expect(error).toMatchObject({ code: "PIO_LEASE_TABLE_SCHEMA" });
  });

  it.each([
    ["its own note", { x_streamName: { S: "payments" } }, /it belongs to "payments"/],
    ["a shard this stream cannot have", { leaseKey: { S: idOf(7) } }, /newer than the newest/],
    ["another range of hash keys", { endingHashKey: { S: "99" } }, /another range of hash keys/],
    ["a position older than the shard", { checkpoint: { S: "17" } }, /a position older than/],
    ["a key with the stream in it", { leaseKey: { S: "1:payments:3:shardId-0" } }, /several streams/],
  ])("refuses the lease table of another stream, known by %s", async (_how, change, message) => {
    const { error, calls } = await openError({
      dynamo: (operation) => (operation === "Scan" ? scan([{ ...javaRow, ...change }]) : table),
    });
    expect(error).toMatchObject({
      code: "PIO_LEASE_TABLE_OF_OTHER_STREAM",
      message: expect.stringMatching(message),
      remedy: expect.stringContaining("another application name"),
    });
    expect(new Set(calls)).toEqual(new Set(["DescribeTable", "GetItem", "Scan"]));
  });

  it("refuses the leases of a stream of the same name that was deleted", async () => {
    const change = { x_streamName: { S: "orders" }, x_streamCreated: { N: "1500000000000" } };
    const { error } = await openError({
      dynamo: (operation) => (operation === "Scan" ? scan([{ ...javaRow, ...change }]) : table),
    });
    expect(error).toMatchObject({
      code: "PIO_STREAM_RECREATED",
      message: expect.stringContaining("created at 2017-07-14T02:40:00.000Z"),
      remedy: expect.stringContaining("delete the lease table"),
    });
  });

  it("asks nobody any more once it has failed: not the table either, which was out of reach meanwhile", async () => {
    const rig = new Rig();
    rig.service.faults.refuse("ListShards", "ResourceNotFoundException");
    let calls = 0;
    rig.table.before = () => {
      calls += 1;
      throw unavailable();
    };
    const worker = rig.worker();
    await expect(rig.openWorker(worker)).rejects.toMatchObject({ code: "PIO_STREAM_NOT_FOUND" });
    expect(calls).toBe(1);
    await rig.pass(10_000);
    expect(calls).toBe(1);
    await rig.close(worker);
  });

  it("ends at once when it is closed, or its signal aborts", async () => {
    const rig = new Rig();
    rig.service.faults.silence("ListShards", { count: Number.POSITIVE_INFINITY });
    for (const how of ["close", "abort"] as const) {
      const worker = rig.worker();
      const opening = worker.consumer.open(worker.stop.signal);
      opening.catch(() => {});
      await rig.pass(100);
      if (how === "abort") worker.stop.abort(new Error("interrupted"));
      await rig.close(worker);
      await expect(opening).rejects.toThrow(how === "abort" ? "interrupted" : "stopped");
    }
  });
  it.each(["open", "write"] as const)(
    "closes within 15 s although the lease table never answers: after %s",
    async (what) => {
      const rig = new Rig();
      const worker = rig.worker();
      const never = new Promise<never>(() => {});
      if (what === "open") rig.table.before = () => never;
      const opening = rig.launch(worker).catch(() => {});
      if (what === "write") {
        await rig.until(() => rig.lease()?.owner === worker.consumer.workerId);
        rig.table.before = () => never;
      }
      await rig.pass(5_000);
      const startMs = rig.clock.monotonic();
      await rig.close(worker);
      expect(rig.clock.monotonic() - startMs).toBeLessThanOrEqual(15_000);
      await opening;
    },
  );
});

const noTable = awsError("ResourceNotFoundException", "Requested resource not found");
const table: AwsAnswer = {
  status: 200,
  body: {
    Table: {
      TableStatus: "ACTIVE",
      KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
      AttributeDefinitions: [{ AttributeName: "leaseKey", AttributeType: "S" }],
    },
  },
};

/** A row as Java writes it. */
const javaRow = {
  leaseKey: { S: idOf(0) },
  leaseOwner: { S: "0" },
  leaseCounter: { N: "5" },
  ownerSwitchesSinceCheckpoint: { N: "0" },
  checkpoint: { S: "TRIM_HORIZON" },
  checkpointSubSequenceNumber: { N: "0" },
  startingHashKey: { S: "0" },
  endingHashKey: { S: lastHashKey },
};

function scan(items: readonly unknown[]): AwsAnswer {
  return { status: 200, body: { Items: items, Count: items.length } };
}

function answerKinesis(operation: string): AwsAnswer {
  if (operation === "DescribeStreamSummary") {
    const StreamDescriptionSummary = { StreamName: "orders", StreamCreationTimestamp: 1_600_000_000 };
    return { status: 200, body: { StreamDescriptionSummary } };
  }
  const HashKeyRange = { StartingHashKey: "0", EndingHashKey: lastHashKey };
  const SequenceNumberRange = { StartingSequenceNumber: "495900000000000000000000" };
  return { status: 200, body: { Shards: [{ ShardId: idOf(0), HashKeyRange, SequenceNumberRange }] } };
}
