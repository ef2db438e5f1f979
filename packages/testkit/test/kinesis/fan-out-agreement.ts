import {
  DeregisterStreamConsumerCommand,
  DescribeStreamConsumerCommand,
  type DescribeStreamConsumerCommandInput,
  ListStreamConsumersCommand,
  type StartingPosition,
} from "@aws-sdk/client-kinesis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FanOutReader } from "./fan-out-reader.ts";
import { KinesisStage, refusalOf } from "./kinesis-stage.ts";

const ShardId = "shardId-000000000000";

/** What holds of enhanced fan-out for every Kinesis, whoever plays it. Called in a `describe`. */
export function fanOutAgreement(endpoint: () => string): void {
  let stage: KinesisStage;
  let reader: FanOutReader;
  beforeAll(() => {
    stage = new KinesisStage(endpoint());
    reader = new FanOutReader(stage.client);
  });
  afterAll(() => stage.client.destroy());

  consumersAgree(() => ({ stage, reader }));
  subscriptionsAgree(() => ({ stage, reader }));
  refusalsAgree(() => ({ stage, reader }));
}

type Use = () => { readonly stage: KinesisStage; readonly reader: FanOutReader };

function consumersAgree(use: Use): void {
  it("registers a consumer once, and finds it by its name and by its ARN", async () => {
    const { stage, reader } = use();
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const ConsumerARN = await reader.register(StreamARN, "app");
    expect(ConsumerARN).toMatch(new RegExp(`^${StreamARN}/consumer/app:\\d+$`));
    for (const input of [{ StreamARN, ConsumerName: "app" }, { ConsumerARN }]) {
      const { ConsumerDescription } = await stage.client.send(new DescribeStreamConsumerCommand(input));
      expect(ConsumerDescription).toMatchObject({
        ConsumerName: "app",
        ConsumerARN,
        ConsumerStatus: "ACTIVE",
        StreamARN,
      });
    }
    expect(await refusalOf(reader.register(StreamARN, "app"))).toBe("400 ResourceInUseException");
  });

  it("lists the consumers of a stream, without those that are gone", async () => {
    const { stage, reader } = use();
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const names = ["a", "b", "c"];
    for (const name of names) await reader.register(StreamARN, name);
    const list = async () => {
      const { Consumers } = await stage.client.send(new ListStreamConsumersCommand({ StreamARN }));
      return Consumers?.map(({ ConsumerName }) => ConsumerName).sort();
    };
    expect(await list()).toEqual(names);
    await stage.client.send(new DeregisterStreamConsumerCommand({ StreamARN, ConsumerName: "b" }));
    await reader.gone({ StreamARN, ConsumerName: "b" });
    expect(await list()).toEqual(["a", "c"]);
  });
}

function subscriptionsAgree(use: Use): void {
  it("sends from where each type of position says, and then what comes", async () => {
    const { stage, reader } = use();
    const StreamName = await stage.createStream(1);
    const { StreamARN } = await stage.describe(StreamName);
    await stage.put(StreamName, "a");
    const { SequenceNumber } = await stage.put(StreamName, "b");
    await stage.put(StreamName, "c");
    const Timestamp = new Date(Date.now() - 60_000);
    const positions: readonly (readonly [StartingPosition, readonly string[]])[] = [
      [{ Type: "TRIM_HORIZON" }, ["a", "b", "c"]],
      [{ Type: "AT_TIMESTAMP", Timestamp }, ["a", "b", "c"]],
      [{ Type: "AT_SEQUENCE_NUMBER", SequenceNumber }, ["b", "c"]],
      [{ Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber }, ["c"]],
      [{ Type: "LATEST" }, []],
    ];
    // Each with a consumer of its own: one may not subscribe twice within five seconds.
    for (const [place, [position, waiting]] of positions.entries()) {
      await using reading = await reader.subscribe({
        ConsumerARN: await reader.register(StreamARN, `app-${place}`),
        ShardId,
        StartingPosition: position,
      });
      await reading.texts(waiting.length);
      await stage.put(StreamName, `to ${position.Type}`);
      const came = positions.slice(0, place + 1).map(([{ Type }]) => `to ${Type}`);
      const expected = position.Type === "LATEST" ? came.slice(-1) : [...waiting, ...came];
      expect(await reading.texts(expected.length)).toEqual(expected);
    }
  });

  it("goes on after the number of the last event, with nothing lost and nothing twice", async () => {
    const { stage, reader } = use();
    const StreamName = await stage.createStream(1);
    const { StreamARN } = await stage.describe(StreamName);
    await stage.put(StreamName, "a");
    await stage.put(StreamName, "b");
    let position: StartingPosition = { Type: "TRIM_HORIZON" };
    for (const [consumer, text, expected] of [
      ["first", "c", ["a", "b", "c"]],
      ["second", "d", ["d"]],
      ["third", "e", ["e"]],
    ] as const) {
      await using reading = await reader.subscribe({
        ConsumerARN: await reader.register(StreamARN, consumer),
        ShardId,
        StartingPosition: position,
      });
      await stage.put(StreamName, text);
      expect(await reading.texts(expected.length)).toEqual(expected);
      const SequenceNumber = reading.last?.ContinuationSequenceNumber;
      expect(SequenceNumber).toMatch(/^49\d{54}$/);
      expect(reading.last?.MillisBehindLatest).toBe(0);
      position = { Type: "AFTER_SEQUENCE_NUMBER", SequenceNumber };
    }
  });

  it("sends what each shard of its own has, to all consumers", async () => {
    const { stage, reader } = use();
    const StreamName = await stage.createStream(2);
    const { StreamARN } = await stage.describe(StreamName);
    const put: Record<string, string[]> = {};
    for (let count = 0; count < 10; count += 1) {
      const placed = await stage.put(StreamName, `${count}`, `key ${count}`);
      const shard = placed.ShardId ?? "";
      put[shard] = [...(put[shard] ?? []), `${count}`];
    }
    for (const consumer of ["one", "other"]) {
      const ConsumerARN = await reader.register(StreamARN, consumer);
      for (const [shard, expected] of Object.entries(put)) {
        await using reading = await reader.subscribe({
          ConsumerARN,
          ShardId: shard,
          StartingPosition: { Type: "TRIM_HORIZON" },
        });
        expect(await reading.texts(expected.length)).toEqual(expected);
      }
    }
  });
}

function refusalsAgree(use: Use): void {
  it("refuses a subscription of a consumer that does not exist", async () => {
    const { stage, reader } = use();
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const ConsumerARN = `${StreamARN}/consumer/nobody:1767225600`;
    const input = { ConsumerARN, ShardId, StartingPosition: { Type: "LATEST" } } as const;
    // kinesis-local may refuse after it has answered: in the first event.
    const first = reader.subscribe(input).then((reading) => reading.texts(1));
    expect(await refusalOf(first)).toMatch(/ResourceNotFoundException$/);
  });

  it("refuses to describe or deregister a consumer that does not exist, and any of a stream that does not", async () => {
    const { stage, reader } = use();
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    const nobody: DescribeStreamConsumerCommandInput = { StreamARN, ConsumerName: "nobody" };
    const calls = [
      stage.client.send(new DescribeStreamConsumerCommand(nobody)),
      stage.client.send(new DeregisterStreamConsumerCommand(nobody)),
      reader.register(`${StreamARN}-not`, "app"),
      stage.client.send(new ListStreamConsumersCommand({ StreamARN: `${StreamARN}-not` })),
    ];
    for (const refusal of await Promise.all(calls.map(refusalOf))) {
      expect(refusal).toBe("400 ResourceNotFoundException");
    }
  });

  it("refuses the twenty-first consumer of a stream", async () => {
    const { stage, reader } = use();
    const { StreamARN } = await stage.describe(await stage.createStream(1));
    for (let number = 0; number < 20; number += 1) await reader.register(StreamARN, `app-${number}`);
    expect(await refusalOf(reader.register(StreamARN, "one-more"))).toBe("400 LimitExceededException");
  });
}
