import {
  type ChildShard,
  KinesisClient,
  RegisterStreamConsumerCommand,
  type StartingPosition,
  SubscribeToShardCommand,
  type SubscribeToShardEvent,
} from "@aws-sdk/client-kinesis";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { type KinesisDouble, startKinesisDouble, TestClock } from "../../src/index.ts";

export const StreamName = "s";
export const ShardId = "shardId-000000000000";

/** A subscription that is being read in the background. */
export interface Reading {
  readonly events: readonly SubscribeToShardEvent[];
  readonly texts: readonly string[];
  readonly continuation: string | undefined;
  readonly children: readonly ChildShard[] | undefined;
  /** How it ended: `ended`, or the name of the error. */
  readonly end: string | undefined;
  stop(): void;
}

/** Left to itself the handler gives each subscription a connection of its own. */
class OneConnection extends NodeHttp2Handler {
  override handle(...[request, options]: Parameters<NodeHttp2Handler["handle"]>) {
    return super.handle(request, { ...options, isEventStream: false });
  }
}

const handlers = {
  "HTTP/1.1": () => new NodeHttpHandler(),
  "HTTP/2": () => new OneConnection({ disableConcurrentStreams: false }),
};

export type Transport = keyof typeof handlers;

/** A double over HTTP on a clock that stands still, with one stream of one shard and one consumer. */
export class FanOutStage implements AsyncDisposable {
  readonly clock: TestClock = new TestClock();
  readonly double: KinesisDouble;
  readonly client: KinesisClient;
  consumerArn = "";

  static async open(transport: Transport = "HTTP/1.1"): Promise<FanOutStage> {
    const clock = new TestClock();
    const double = await startKinesisDouble({ clock });
    const stage = new FanOutStage(clock, double, transport);
    double.model.createStream(StreamName, 1);
    stage.consumerArn = await stage.register("app");
    return stage;
  }

  private constructor(clock: TestClock, double: KinesisDouble, transport: Transport) {
    this.clock = clock;
    this.double = double;
    this.client = new KinesisClient({
      endpoint: double.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      requestHandler: handlers[transport](),
      maxAttempts: 1,
    });
  }

  get stream() {
    return this.double.model.stream(StreamName);
  }

  async register(ConsumerName: string): Promise<string> {
    const { Consumer } = await this.client.send(
      new RegisterStreamConsumerCommand({ StreamARN: this.stream.arn, ConsumerName }),
    );
    return Consumer?.ConsumerARN ?? "";
  }

  put(...texts: readonly string[]): void {
    for (const text of texts) {
      const bytes = Buffer.from(text);
      const entry = { partitionKey: "k", data: bytes.toString("base64"), dataBytes: bytes.length };
      this.stream.put(entry, this.clock.now());
    }
  }

  /** @throws what the call is refused with. */
  async subscribe(
    position: StartingPosition = { Type: "TRIM_HORIZON" },
    shardId = ShardId,
  ): Promise<Reading> {
    const stop = new AbortController();
    const { EventStream } = await this.client.send(
      new SubscribeToShardCommand({
        ConsumerARN: this.consumerArn,
        ShardId: shardId,
        StartingPosition: position,
      }),
      { abortSignal: stop.signal },
    );
    const events: SubscribeToShardEvent[] = [];
    let end: string | undefined;
    const read = async () => {
      for await (const { SubscribeToShardEvent: event } of EventStream ?? []) {
        if (event !== undefined) events.push(event);
      }
    };
    read().then(
      () => {
        end = "ended";
      },
      (error: Error) => {
        end = error.name === "Error" ? error.message : error.name;
      },
    );
    return {
      events,
      get texts() {
        const records = events.flatMap((event) => event.Records ?? []);
        return records.map((record) => Buffer.from(record.Data ?? []).toString());
      },
      get continuation() {
        return events.at(-1)?.ContinuationSequenceNumber;
      },
      get children() {
        return events.at(-1)?.ChildShards;
      },
      get end() {
        return end;
      },
      stop: () => stop.abort(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    await this.double.close();
  }
}

/** Waits for what needs no time but the network's. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turns(1);
}

/** Time for what should not happen to happen. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
