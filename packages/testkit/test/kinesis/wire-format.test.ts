import { decode, encode, Tagged } from "cborg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KinesisDouble, startKinesisDouble, TestClock } from "../../src/index.ts";

const StreamName = "s";
const ShardId = "shardId-000000000000";

describe("CBOR", () => {
  const clock = new TestClock();
  let double: KinesisDouble;
  beforeAll(async () => {
    double = await startKinesisDouble({ clock });
    double.model.createStream(StreamName, 1);
  });
  afterAll(() => double.close());

  async function ask(operation: string, body: Uint8Array) {
    const response = await fetch(double.endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-cbor-1.1",
        "x-amz-target": `Kinesis_20131202.${operation}`,
      },
      body,
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const answer: Record<string, unknown> = decode(bytes, { tags: Tagged.preserve(1) });
    return { status: response.status, type: response.headers.get("content-type"), answer };
  }

  it("carries payloads as bytes and times as tagged milliseconds, both ways", async () => {
    const Data = Uint8Array.from({ length: 256 }, (_, value) => value);
    await ask("PutRecord", encode({ StreamName, PartitionKey: "k", Data }));
    const at = {
      StreamName,
      ShardId,
      ShardIteratorType: "AT_TIMESTAMP",
      Timestamp: new Tagged(1, clock.now()),
    };
    const { answer } = await ask("GetShardIterator", encode(at));
    const read = await ask("GetRecords", encode({ ShardIterator: answer["ShardIterator"] }));
    expect(read).toMatchObject({
      status: 200,
      type: "application/x-amz-cbor-1.1",
      answer: {
        MillisBehindLatest: 0,
        Records: [{ Data, PartitionKey: "k", ApproximateArrivalTimestamp: new Tagged(1, clock.now()) }],
      },
    });
  });

  it("carries refusals", async () => {
    const refused = await ask("DescribeStreamSummary", encode({ StreamName: "none" }));
    expect(refused).toMatchObject({ status: 400, answer: { __type: "ResourceNotFoundException" } });
  });

  it("takes maps of unknown length, as the SDK for Java writes them, and refuses what is no CBOR", async () => {
    const name = encode("StreamName");
    const body = Buffer.concat([Buffer.of(0xbf), name, encode(StreamName), Buffer.of(0xff)]);
    expect((await ask("DescribeStreamSummary", body)).status).toBe(200);
    expect(await ask("DescribeStreamSummary", body.subarray(0, 5))).toMatchObject({
      status: 400,
      answer: { __type: "SerializationException" },
    });
  });
});
