import { once } from "node:events";
import { connect as http2Connect } from "node:http2";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import {
  DescribeStreamSummaryCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
} from "@aws-sdk/client-kinesis";
import { describe, expect, it } from "vitest";
import { type FaultEffect, startKinesisDouble } from "../../src/index.ts";
import { FanOutStage, ShardId, StreamName, type Transport, turns, until } from "./fan-out-stage.ts";
import { refusalOf } from "./kinesis-stage.ts";

describe.each<Transport>(["HTTP/1.1", "HTTP/2"])("faults of the double over %s", (transport) => {
  it.each<[FaultEffect["kind"], number]>([
    ["reset", 0],
    ["hang-up", 0],
    ["lose-answer", 1],
    ["cut-answer", 1],
    ["corrupt", 1],
  ])("%s a put, which leaves %d records, and the next one is answered", async (kind, stored) => {
    await using stage = await FanOutStage.open(transport);
    const put = () =>
      stage.client.send(new PutRecordCommand({ StreamName, PartitionKey: "k", Data: Buffer.from("x") }));
    stage.double.faults.add({ operation: "PutRecord", effect: { kind } as FaultEffect }); // none has more members
    await expect(put()).rejects.toThrow();
    expect(stage.stream.shard(ShardId, stage.clock.now()).log.end).toBe(stored);
    await put();
    expect(stage.stream.shard(ShardId, stage.clock.now()).log.end).toBe(stored + 1);
  });

  it("reset a subscription between two events", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    stage.double.faults.reset("SubscribeToShardEvent", { skip: 1 });
    stage.put("a");
    await until(() => reading.texts.length === 1);
    stage.put("b");
    await until(() => reading.end !== undefined);
    // To a reader over HTTP/2 a reset between two events may look like an end.
    if (transport === "HTTP/1.1") expect(reading.end).toMatch(/aborted|ECONNRESET/);
    expect(reading.texts).toEqual(["a"]);
  });

  it("reset a subscription in the middle of an event", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    stage.double.faults.add({ operation: "SubscribeToShardEvent", effect: { kind: "cut-answer" } });
    stage.put("a");
    await until(() => reading.end !== undefined);
    expect([reading.events, reading.end === "ended"]).toEqual([[], false]);
  });

  it("change a bit of an event, and the reader notices by the checksum", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    stage.double.faults.add({ operation: "SubscribeToShardEvent", effect: { kind: "corrupt" } });
    stage.put("a");
    await until(() => reading.end !== undefined);
    expect(reading.end).toMatch(/checksum/i);
    expect(reading.events).toEqual([]);
  });

  it("end a subscription early in good order, where it seems to be five minutes old", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    stage.double.faults.add({ operation: "SubscribeToShardEvent", effect: { kind: "hang-up" } });
    stage.put("a");
    await until(() => reading.end !== undefined);
    expect([reading.events, reading.end]).toEqual([[], "ended"]);
  });

  it("put an exception in the place of an event", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    stage.double.faults.refuse("SubscribeToShardEvent", "InternalFailureException");
    stage.put("a");
    await until(() => reading.end !== undefined);
    expect([reading.events, reading.end]).toEqual([[], "InternalFailureException"]);
  });

  it.each(["silence", "half-open"] as const)("leave a subscription open in %s", async (kind) => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    const fault = stage.double.faults.add({ operation: "SubscribeToShardEvent", effect: { kind } });
    stage.put("a");
    await until(() => fault.hits === 1);
    await stage.clock.advance(400_000);
    await turns(50);
    expect([reading.events, reading.end]).toEqual([[], undefined]);
    reading.stop();
    await until(() => reading.end !== undefined);
  });

  it("hold an event back", async () => {
    await using stage = await FanOutStage.open(transport);
    const reading = await stage.subscribe();
    const fault = stage.double.faults.delay("SubscribeToShardEvent", 3_000);
    stage.put("a");
    await until(() => fault.hits === 1);
    await stage.clock.advance(2_999);
    await turns(50);
    expect(reading.events).toEqual([]);
    await stage.clock.advance(1);
    await until(() => reading.texts.length === 1);
  });
});

describe("faults of a connection that calls share", () => {
  const describeStream = (stage: FanOutStage, abortSignal?: AbortSignal) =>
    stage.client.send(new DescribeStreamSummaryCommand({ StreamName }), {
      ...(abortSignal === undefined ? {} : { abortSignal }),
    });

  it("silence everything on it once it is half open", async () => {
    await using stage = await FanOutStage.open("HTTP/2");
    const reading = await stage.subscribe();
    const fault = stage.double.faults.add({
      operation: "GetShardIterator",
      effect: { kind: "half-open" },
    });
    const stop = new AbortController();
    const at = { StreamName, ShardId, ShardIteratorType: "LATEST" } as const;
    const first = refusalOf(stage.client.send(new GetShardIteratorCommand(at), { abortSignal: stop.signal }));
    await until(() => fault.hits === 1);
    const second = refusalOf(describeStream(stage, stop.signal));
    stage.put("a");
    await stage.clock.advance(10_000);
    await turns(50);
    expect(reading.events).toEqual([]);
    stop.abort();
    expect([await first, await second]).toEqual(["undefined AbortError", "undefined AbortError"]);
    // The client has given that connection up only when a new one answers.
    stage.client.destroy();
    await until(() => reading.end !== undefined);
    await using other = await FanOutStage.open("HTTP/2");
    expect((await describeStream(other)).StreamDescriptionSummary).toBeDefined();
  });

  it("reset every subscription on it", async () => {
    await using stage = await FanOutStage.open("HTTP/2");
    const first = await stage.subscribe();
    stage.consumerArn = await stage.register("other");
    const second = await stage.subscribe();
    stage.double.faults.reset("DescribeStreamSummary");
    await expect(describeStream(stage)).rejects.toThrow();
    await until(() => first.end !== undefined && second.end !== undefined);
    expect([first.events, second.events]).toEqual([[], []]);
  });

  it("let a subscription go on after GOAWAY, and calls take another connection", async () => {
    await using stage = await FanOutStage.open("HTTP/2");
    const reading = await stage.subscribe();
    stage.double.faults.add({ operation: "SubscribeToShardEvent", effect: { kind: "goaway" } });
    stage.put("a");
    await until(() => reading.texts.length === 1);
    expect((await describeStream(stage)).StreamDescriptionSummary).toBeDefined();
    stage.put("b");
    await until(() => reading.texts.length === 2);
    expect(reading.end).toBeUndefined();
  });
});

describe("goaway", () => {
  const headers = { "x-amz-target": "Kinesis_20131202.DescribeStreamSummary" };
  const body = JSON.stringify({ StreamName });
  const ask = async () => {
    const double = await startKinesisDouble();
    double.model.createStream(StreamName, 1);
    double.faults.add({ operation: "DescribeStreamSummary", effect: { kind: "goaway" } });
    return double;
  };

  it("answers over HTTP/2 and says that the connection takes no more", async () => {
    await using double = await ask();
    const session = http2Connect(double.endpoint);
    const parted = once(session, "goaway");
    const request = session.request({ ":method": "POST", ":path": "/", ...headers });
    request.end(body);
    expect(await text(request)).toContain("StreamDescriptionSummary");
    expect((await parted)[0]).toBe(0);
    await once(session, "close");
  });

  it("answers over HTTP/1.1 with Connection: close", async () => {
    await using double = await ask();
    const connections: (string | null)[] = [];
    for (let count = 0; count < 2; count += 1) {
      const response = await fetch(double.endpoint, { method: "POST", headers, body });
      expect(await response.text()).toContain("StreamDescriptionSummary");
      connections.push(response.headers.get("connection"));
    }
    expect(connections).toEqual(["close", "keep-alive"]);
  });
});

describe("the double's port", () => {
  it("is read by the SDK's own handler, which makes an HTTP/2 connection for each call", async () => {
    await using double = await startKinesisDouble();
    double.model.createStream(StreamName, 1);
    const client = new KinesisClient({
      endpoint: double.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      maxAttempts: 1,
    });
    for (let count = 0; count < 3; count += 1) {
      const answer = await client.send(new DescribeStreamSummaryCommand({ StreamName }));
      expect(answer.StreamDescriptionSummary?.OpenShardCount).toBe(1);
    }
    client.destroy();
  });

  it("survives who says nothing, or something else", async () => {
    await using double = await startKinesisDouble();
    const { port } = new URL(double.endpoint);
    const silent = connect(Number(port), "127.0.0.1");
    const other = connect(Number(port), "127.0.0.1");
    other.write("what is this?\r\n\r\n");
    await new Promise((resolve) => other.once("close", resolve).resume());
    silent.destroy();
    expect((await fetch(`${double.endpoint}/_double/calls`)).status).toBe(200);
  });
});
