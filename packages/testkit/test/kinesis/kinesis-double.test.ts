import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { describe, expect, it } from "vitest";
import {
  InProcessHandler,
  type KinesisDouble,
  KinesisModel,
  KinesisService,
  startKinesisDouble,
  TestClock,
} from "../../src/index.ts";
import { refusalOf, texts } from "./kinesis-stage.ts";

const account = {
  region: "us-east-1",
  credentials: { accessKeyId: "any", secretAccessKey: "any" },
  maxAttempts: 1,
};
const StreamName = "s";
const ShardId = "shardId-000000000000";

function clientOf(double: KinesisDouble, region = "us-east-1"): KinesisClient {
  return new KinesisClient({
    ...account,
    region,
    endpoint: double.endpoint,
    requestHandler: new NodeHttpHandler(),
  });
}

/** A double without a network, on a clock that stands still, with one stream of one shard. */
function inProcess() {
  const clock = new TestClock();
  const service = new KinesisService(new KinesisModel({ clock }));
  const stream = service.model.createStream(StreamName, 1);
  const client = new KinesisClient({ ...account, requestHandler: new InProcessHandler(service) });
  const iterator = async (type: "LATEST" | "TRIM_HORIZON" = "TRIM_HORIZON") => {
    const input = { StreamName, ShardId, ShardIteratorType: type };
    return (await client.send(new GetShardIteratorCommand(input))).ShardIterator;
  };
  const put = (text: string) => stream.put({ ...payload(text), partitionKey: "k" }, clock.now());
  const get = async (ShardIterator: string | undefined, Limit?: number) =>
    await client.send(new GetRecordsCommand({ ShardIterator, Limit }));
  return { clock, service, stream, client, iterator, put, get };
}

function payload(text: string): { data: string; dataBytes: number } {
  const bytes = Buffer.from(text);
  return { data: bytes.toString("base64"), dataBytes: bytes.length };
}

describe("the double's time", () => {
  it("lets an iterator expire after five minutes, not before", async () => {
    const { clock, iterator, get } = inProcess();
    const old = await iterator();
    await clock.advance(300_000);
    const { NextShardIterator } = await get(old);
    await clock.advance(1);
    expect(await refusalOf(get(old))).toBe("400 ExpiredIteratorException");
    expect((await get(NextShardIterator)).Records).toEqual([]);
  });

  it("says how many milliseconds behind the tip an answer is, and what the time is", async () => {
    const { clock, iterator, put, get } = inProcess();
    put("a");
    await clock.advance(1_000);
    put("b");
    await clock.advance(2_000);
    const page = await get(await iterator(), 1);
    expect([texts(page), page.MillisBehindLatest]).toEqual([["a"], 2_000]);
    expect((await get(page.NextShardIterator)).MillisBehindLatest).toBe(0);
  });

  it("refuses to start in the future", async () => {
    const { clock, client } = inProcess();
    const at = {
      StreamName,
      ShardId,
      ShardIteratorType: "AT_TIMESTAMP",
      Timestamp: new Date(clock.now() + 1),
    } as const;
    expect(await refusalOf(client.send(new GetShardIteratorCommand(at)))).toBe(
      "400 InvalidArgumentException",
    );
    await clock.advance(1);
    expect((await client.send(new GetShardIteratorCommand(at))).ShardIterator).toBeDefined();
  });

  it("lets the token of a page of shards expire after five minutes", async () => {
    const { clock, client, service } = inProcess();
    service.model.createStream("many", 3);
    const { NextToken } = await client.send(new ListShardsCommand({ StreamName: "many", MaxResults: 1 }));
    await clock.advance(300_001);
    const next = client.send(new ListShardsCommand({ NextToken }));
    expect(await refusalOf(next)).toBe("400 ExpiredNextTokenException");
  });
});

describe("the double's streams", () => {
  it("begin anew under an old name: old iterators and sequence numbers are refused", async () => {
    const { service, client, iterator, put, get } = inProcess();
    const { sequenceNumber } = put("old");
    const old = await iterator();
    service.model.recreateStream(StreamName, 1);
    expect(await refusalOf(get(old))).toBe("400 InvalidArgumentException");
    const resume = { StreamName, ShardId, ShardIteratorType: "AT_SEQUENCE_NUMBER" } as const;
    const read = client.send(
      new GetShardIteratorCommand({ ...resume, StartingSequenceNumber: String(sequenceNumber) }),
    );
    await expect(read).rejects.toThrow("did not come from this stream");
  });

  it("start at the oldest record that is left when the one asked for was trimmed", async () => {
    const { stream, client, put, get } = inProcess();
    const { sequenceNumber } = put("a");
    put("b");
    put("c");
    stream.trim(ShardId, 2);
    for (const ShardIteratorType of ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] as const) {
      const input = {
        StreamName,
        ShardId,
        ShardIteratorType,
        StartingSequenceNumber: String(sequenceNumber),
      };
      const { ShardIterator } = await client.send(new GetShardIteratorCommand(input));
      expect(texts(await get(ShardIterator))).toEqual(["c"]);
    }
  });

  it("are kept apart by region", async () => {
    await using double = await startKinesisDouble();
    double.model.createStream(StreamName, 1);
    const describe = (region: string) =>
      clientOf(double, region).send(new DescribeStreamSummaryCommand({ StreamName }));
    expect((await describe("us-east-1")).StreamDescriptionSummary?.StreamName).toBe(StreamName);
    expect(await refusalOf(describe("eu-west-1"))).toBe("400 ResourceNotFoundException");
  });

  it("answer at most 10 MiB, and at least one record", async () => {
    const { stream, clock, iterator, get } = inProcess();
    const mebibyte = { ...payload("x".repeat(1_048_576)), partitionKey: "k" };
    for (let count = 0; count < 12; count++) stream.put(mebibyte, clock.now());
    const page = await get(await iterator());
    expect(page.Records).toHaveLength(9);
    expect((await get(page.NextShardIterator)).Records).toHaveLength(3);
  });
});

describe("the double's faults", () => {
  it("refuse a call in the words of AWS, and the next is answered", async () => {
    const { service, iterator, get } = inProcess();
    const start = await iterator();
    service.faults.throttle("GetRecords");
    service.faults.refuse("GetRecords", "InternalFailure");
    expect(await refusalOf(get(start))).toBe("400 ProvisionedThroughputExceededException");
    expect(await refusalOf(get(start))).toBe("500 InternalFailure");
    expect((await get(start)).Records).toEqual([]);
    expect([service.calls("GetRecords"), service.calls()]).toEqual([3, 4]);
  });

  it("reset the connection before a call is done, after it, and in the middle of its answer", async () => {
    await using double = await startKinesisDouble();
    const stream = double.model.createStream(StreamName, 1);
    const client = clientOf(double);
    const put = () =>
      client.send(new PutRecordCommand({ StreamName, PartitionKey: "k", Data: Buffer.from("x") }));
    const stored = () => stream.shard(ShardId, Date.now()).log.end;
    for (const [kind, expected] of [
      ["reset", 0],
      ["lose-answer", 1],
      ["cut-answer", 2],
    ] as const) {
      double.faults.add({ operation: "PutRecord", effect: { kind } });
      await expect(put()).rejects.toThrow(/ECONNRESET|socket hang up|aborted/);
      expect(stored()).toBe(expected);
    }
    await put();
    expect(stored()).toBe(3);
  });

  it("leave a call without an answer until the caller hangs up", async () => {
    await using double = await startKinesisDouble();
    double.model.createStream(StreamName, 1);
    const fault = double.faults.silence("DescribeStreamSummary");
    const stop = new AbortController();
    const call = clientOf(double).send(new DescribeStreamSummaryCommand({ StreamName }), {
      abortSignal: stop.signal,
    });
    const refused = expect(call).rejects.toMatchObject({ name: "AbortError" });
    while (fault.hits === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await refused;
  });

  it("answer late, by the clock of the model", async () => {
    const { clock, service, iterator, get } = inProcess();
    const start = await iterator();
    service.faults.delay("GetRecords", 30_000);
    const answer = get(start);
    while (clock.sleepers === 0) await clock.settle();
    await clock.advance(30_000);
    expect((await answer).Records).toEqual([]);
  });

  it("are the limits of a shard, where they are enforced", async () => {
    const { service, client, iterator, get } = inProcess();
    service.limits.enforceReads = true;
    const start = await iterator();
    for (let count = 0; count < 5; count++) await get(start);
    expect(await refusalOf(get(start))).toBe("400 ProvisionedThroughputExceededException");
    service.limits.enforceWrites = true;
    const record = { PartitionKey: "k", Data: new Uint8Array(600_000) };
    const { FailedRecordCount, Records } = await client.send(
      new PutRecordsCommand({ StreamName, Records: [record, record] }),
    );
    expect([FailedRecordCount, Records?.map(({ ErrorCode }) => ErrorCode)]).toEqual([
      1,
      [undefined, "ProvisionedThroughputExceededException"],
    ]);
  });

  it("can be set from another process", async () => {
    await using double = await startKinesisDouble();
    double.model.createStream(StreamName, 1);
    const tell = async (method: string, path: string, body?: object) => {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(`${double.endpoint}/_double/${path}`, init);
      return { status: response.status, value: await response.json() };
    };
    const effect = { kind: "refuse", error: "AccessDeniedException" };
    expect((await tell("POST", "faults", { operation: "*", count: null, effect })).status).toBe(200);
    const describe = () => clientOf(double).send(new DescribeStreamSummaryCommand({ StreamName }));
    expect(await refusalOf(describe())).toBe("400 AccessDeniedException");
    await tell("DELETE", "faults");
    expect((await describe()).StreamDescriptionSummary).toBeDefined();
    expect((await tell("GET", "calls")).value).toEqual({ DescribeStreamSummary: 2 });
    expect((await tell("POST", "faults", { operation: "*" })).status).toBe(400);
  });
});
