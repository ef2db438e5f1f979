import { KinesisClient } from "@aws-sdk/client-kinesis";
import { InProcessHandler, KinesisModel, KinesisService, TestClock } from "@pulsar-ts-io/testkit";
import { describe, expect, it } from "vitest";
import { AwsKinesisStream } from "../../src/shard/aws-kinesis-stream.ts";
import { kinesisStreamContract } from "../support/kinesis-stream-contract.ts";
import { serviceOf } from "../support/service-of.ts";

const signal = new AbortController().signal;

function inMemory() {
  // The contract asks for shards as of now.
  const clock = new TestClock({ startMs: Date.now() });
  const model = new KinesisModel({ clock });
  const service = new KinesisService(model);
  const client = new KinesisClient({
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
    requestHandler: new InProcessHandler(service),
  });
  return {
    client,
    clock,
    model,
    service,
    stream: new AwsKinesisStream(serviceOf(client), "orders", clock),
  };
}

describe("AwsKinesisStream on the double", () => {
  kinesisStreamContract(
    () => {
      const { clock, model, stream } = inMemory();
      const orders = model.createStream("orders", 2);
      return Promise.resolve({
        stream,
        put(data: Buffer) {
          const entry = { data: data.toString("base64"), dataBytes: data.length, partitionKey: "key" };
          orders.put(entry, clock.now(), 0n);
          return Promise.resolve();
        },
        split(first) {
          orders.split(first.shardId, first.hashKeyRange.end / 2n, clock.now());
          return Promise.resolve();
        },
      });
    },
    () => inMemory().stream,
  );

  it("reads a listing of many pages", async () => {
    const { model, stream } = inMemory();
    model.createStream("orders", 2_500);
    expect(await stream.listShards({ kind: "trim-horizon" }, signal)).toHaveLength(2_500);
  });

  it("says that a stream which is being created may be asked again", async () => {
    const { model, service, stream } = inMemory();
    model.createStream("orders", 1);
    service.faults.refuse("ListShards", "ResourceInUseException", { count: 1 });
    await expect(stream.listShards(undefined, signal)).rejects.toMatchObject({
      code: "PIO_AWS_UNAVAILABLE",
      retryable: true,
    });
    expect(await stream.listShards(undefined, signal)).toHaveLength(1);
  });

  it("may be listed again when it took so long that its place in the listing was forgotten", async () => {
    const { client, clock, model, stream } = inMemory();
    model.createStream("orders", 1_200);
    let pages = 0;
    client.middlewareStack.add(
      (next) => async (args) => {
        pages += 1;
        if (pages === 2) await clock.advance(300_001);
        return await next(args);
      },
      { step: "initialize" },
    );
    const failure = { code: "PIO_AWS_UNAVAILABLE", retryable: true };
    await expect(stream.listShards(undefined, signal)).rejects.toMatchObject(failure);
    const shards = await stream.listShards(undefined, signal);
    expect(new Set(shards.map(({ shardId }) => shardId)).size).toBe(1_200);
    expect(pages).toBe(4);
  });

  it("takes the time from Kinesis, and carries it on", async () => {
    const { clock, model, stream } = inMemory();
    model.createStream("orders", 1);
    const startMs = Math.floor(clock.now() / 1_000) * 1_000;
    await stream.listShards(undefined, signal);
    clock.setWallClock(clock.now() - 3_600_000);
    await stream.listShards(undefined, signal);
    await clock.advance(5_000);
    expect(Math.abs(stream.serviceTimeMs() - (startMs - 3_600_000 + 5_000))).toBeLessThan(2_000);
  });
});
