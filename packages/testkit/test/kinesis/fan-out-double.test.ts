import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  KinesisClient,
  ListStreamConsumersCommand,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
} from "@aws-sdk/client-kinesis";
import { describe, expect, it } from "vitest";
import { InProcessHandler, KinesisModel, KinesisService, TestClock } from "../../src/index.ts";
import { FanOutStage, ShardId, turns, until } from "./fan-out-stage.ts";
import { refusalOf } from "./kinesis-stage.ts";

describe("the double's consumers", () => {
  it("are created, found by name and by ARN, listed in pages, and deleted", async () => {
    await using stage = await FanOutStage.open();
    const { client, consumerArn } = stage;
    const StreamARN = stage.stream.arn;
    const createdAt = new Date(stage.clock.now());
    await stage.register("other");
    for (const input of [{ StreamARN, ConsumerName: "app" }, { ConsumerARN: consumerArn }]) {
      const { ConsumerDescription } = await client.send(new DescribeStreamConsumerCommand(input));
      expect(ConsumerDescription).toEqual({
        ConsumerName: "app",
        ConsumerARN: consumerArn,
        ConsumerStatus: "ACTIVE",
        ConsumerCreationTimestamp: createdAt,
        StreamARN,
      });
    }
    const first = await client.send(new ListStreamConsumersCommand({ StreamARN, MaxResults: 1 }));
    const rest = await client.send(new ListStreamConsumersCommand({ StreamARN, NextToken: first.NextToken }));
    const listed = [...(first.Consumers ?? []), ...(rest.Consumers ?? [])];
    expect(listed.map(({ ConsumerName }) => ConsumerName)).toEqual(["app", "other"]);
    expect(rest.NextToken).toBeUndefined();
    await client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: consumerArn }));
    const gone = client.send(new DescribeStreamConsumerCommand({ ConsumerARN: consumerArn }));
    expect(await refusalOf(gone)).toBe("400 ResourceNotFoundException");
  });

  it("are refused a second time, and when the stream has twenty", async () => {
    await using stage = await FanOutStage.open();
    expect(await refusalOf(stage.register("app"))).toBe("400 ResourceInUseException");
    for (let number = 1; number < 20; number += 1) await stage.register(`app-${number}`);
    expect(await refusalOf(stage.register("one-more"))).toBe("400 LimitExceededException");
  });

  it("may not subscribe before they are active, by the clock of the model", async () => {
    const clock = new TestClock();
    const service = new KinesisService(new KinesisModel({ clock, transitionMs: 2_000 }));
    const { arn: StreamARN } = service.model.createStream("s", 1);
    await clock.advance(2_000);
    const client = new KinesisClient({
      region: "us-east-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      requestHandler: new InProcessHandler(service),
      maxAttempts: 1,
    });
    const { Consumer } = await client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: "app" }),
    );
    expect(Consumer?.ConsumerStatus).toBe("CREATING");
    const input = {
      ConsumerARN: Consumer?.ConsumerARN,
      ShardId,
      StartingPosition: { Type: "LATEST" },
    } as const;
    const subscribe = () => client.send(new SubscribeToShardCommand(input));
    expect(await refusalOf(subscribe())).toBe("400 ResourceInUseException");
    await clock.advance(2_000);
    expect((await subscribe()).EventStream).toBeDefined();
  });
});

describe("the double's subscriptions", () => {
  it("send what is there at once and what comes as it comes, each event with a number to go on after", async () => {
    await using stage = await FanOutStage.open();
    stage.put("a", "b");
    const reading = await stage.subscribe();
    await until(() => reading.texts.length === 2);
    stage.put("c");
    await until(() => reading.texts.length === 3);
    const [first] = reading.events;
    await stage.clock.advance(5_000);
    for (const [SequenceNumber, rest] of [
      [first?.ContinuationSequenceNumber, ["c", "d"]],
      [reading.continuation, ["d"]],
    ] as const) {
      const again = await stage.subscribe({ Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber });
      if (rest.length === 2) stage.put("d");
      await until(() => again.texts.length === rest.length);
      expect(again.texts).toEqual(rest);
      await stage.clock.advance(5_000);
    }
  });

  it("send an empty event every five seconds while nothing comes", async () => {
    await using stage = await FanOutStage.open();
    stage.put("a");
    const reading = await stage.subscribe({ Type: "LATEST" });
    await turns(20);
    expect(reading.events).toEqual([]);
    for (const count of [1, 2, 3]) {
      await stage.clock.advance(4_999);
      await turns(20);
      expect(reading.events).toHaveLength(count - 1);
      await stage.clock.advance(1);
      await until(() => reading.events.length === count);
    }
    expect(reading.events[2]).toMatchObject({ Records: [], MillisBehindLatest: 0 });
    expect(reading.continuation).toMatch(/^49\d{54}$/);
  });

  it("say how old the next record is", async () => {
    await using stage = await FanOutStage.open();
    stage.put("x".repeat(1_000_000), "y".repeat(1_000_000));
    await stage.clock.advance(7_000);
    const reading = await stage.subscribe();
    await until(() => reading.events.length === 2);
    expect(reading.events.map((event) => event.MillisBehindLatest)).toEqual([7_000, 0]);
  });

  it("start where each type of position says", async () => {
    await using stage = await FanOutStage.open();
    stage.put("a");
    await stage.clock.advance(1_000);
    const Timestamp = new Date(stage.clock.now());
    stage.put("b");
    const { sequenceNumber } = stage.stream.put(
      { partitionKey: "k", data: "Yw==", dataBytes: 1 },
      stage.clock.now(),
    );
    const SequenceNumber = String(sequenceNumber);
    for (const [position, expected] of [
      [{ Type: "TRIM_HORIZON" }, ["a", "b", "c"]],
      [{ Type: "AT_TIMESTAMP", Timestamp }, ["b", "c"]],
      [{ Type: "AT_SEQUENCE_NUMBER", SequenceNumber }, ["c"]],
      [{ Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber }, []],
      [{ Type: "LATEST" }, []],
    ] as const) {
      const reading = await stage.subscribe(position);
      await stage.clock.advance(5_000);
      await until(() => reading.events.length > 0);
      expect(reading.texts).toEqual(expected);
    }
    const foreign = { Type: "AT_SEQUENCE_NUMBER", SequenceNumber: "12" } as const;
    expect(await refusalOf(stage.subscribe(foreign))).toBe("400 InvalidArgumentException");
  });

  it("end after five minutes without an error, and not before", async () => {
    await using stage = await FanOutStage.open();
    const reading = await stage.subscribe();
    await stage.clock.advance(299_999);
    await until(() => reading.events.length === 59);
    await turns(20);
    expect(reading.end).toBeUndefined();
    await stage.clock.advance(1);
    await until(() => reading.end !== undefined);
    expect([reading.end, reading.children]).toEqual(["ended", undefined]);
    expect(reading.continuation).toBeDefined();
  });

  it("end with the children and without a number when the shard is read to its end", async () => {
    await using stage = await FanOutStage.open();
    stage.put("a");
    const reading = await stage.subscribe();
    await until(() => reading.texts.length === 1);
    const children = stage.stream.split(ShardId, 1n << 127n, stage.clock.now());
    await until(() => reading.end !== undefined);
    expect([reading.end, reading.continuation ?? undefined]).toEqual(["ended", undefined]);
    expect(reading.children?.map(({ ShardId: id, ParentShards }) => [id, ParentShards])).toEqual(
      children.map((child) => [child.id, [ShardId]]),
    );
    await stage.clock.advance(5_000);
    const again = await stage.subscribe({ Type: "LATEST" });
    await until(() => again.end !== undefined);
    expect(again.children).toHaveLength(2);
  });

  it("are refused within five seconds of the last one, and then taken over", async () => {
    await using stage = await FanOutStage.open();
    const first = await stage.subscribe();
    await stage.clock.advance(4_999);
    expect(await refusalOf(stage.subscribe())).toBe("400 ResourceInUseException");
    await stage.clock.advance(1);
    const second = await stage.subscribe();
    await until(() => first.end !== undefined);
    expect(first.end).toBe("ResourceInUseException");
    stage.put("a");
    await until(() => second.texts.length === 1);
    expect([first.texts, second.end]).toEqual([[], undefined]);
  });

  it("of different consumers do not touch each other", async () => {
    await using stage = await FanOutStage.open();
    const first = await stage.subscribe();
    stage.consumerArn = await stage.register("other");
    const second = await stage.subscribe();
    stage.put("a");
    await until(() => first.texts.length + second.texts.length === 2);
    expect([first.end, second.end]).toEqual([undefined, undefined]);
  });

  it("fail with their consumer, and with their stream", async () => {
    await using stage = await FanOutStage.open();
    const first = await stage.subscribe();
    await stage.client.send(new DeregisterStreamConsumerCommand({ ConsumerARN: stage.consumerArn }));
    await until(() => first.end !== undefined);
    expect(first.end).toBe("ResourceNotFoundException");
    expect(await refusalOf(stage.subscribe())).toBe("400 ResourceNotFoundException");
    stage.consumerArn = await stage.register("app");
    const second = await stage.subscribe();
    stage.double.model.recreateStream("s", 1);
    await until(() => second.end !== undefined);
    expect(second.end).toBe("ResourceNotFoundException");
  });

  it("are in use for five seconds also after the reader hung up", async () => {
    await using stage = await FanOutStage.open();
    const reading = await stage.subscribe();
    reading.stop();
    await until(() => reading.end !== undefined);
    expect(await refusalOf(stage.subscribe())).toBe("400 ResourceInUseException");
    await until(() => stage.clock.sleepers === 0);
  });

  it("wait for a reader that takes nothing", async () => {
    await using stage = await FanOutStage.open();
    const events = stage.double.faults.delay("SubscribeToShardEvent", 0, { count: Number.POSITIVE_INFINITY });
    for (let count = 0; count < 40; count += 1) stage.put("x".repeat(1_048_576));
    const { EventStream } = await stage.client.send(
      new SubscribeToShardCommand({
        ConsumerARN: stage.consumerArn,
        ShardId,
        StartingPosition: { Type: "TRIM_HORIZON" },
      }),
    );
    await turns(500);
    expect(events.hits).toBeLessThan(20);
    let read = 0;
    for await (const { SubscribeToShardEvent: event } of EventStream ?? []) {
      read += event?.Records?.length ?? 0;
      if (read === 40) break;
    }
    expect(events.hits).toBe(40);
  });
});
