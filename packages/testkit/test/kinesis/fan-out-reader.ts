import {
  DescribeStreamConsumerCommand,
  type DescribeStreamConsumerCommandInput,
  type KinesisClient,
  RegisterStreamConsumerCommand,
  SubscribeToShardCommand,
  type SubscribeToShardCommandInput,
  type SubscribeToShardEvent,
} from "@aws-sdk/client-kinesis";
import { texts } from "./kinesis-stage.ts";

/** A subscription that is read only when a test asks for it. */
export interface PulledReading extends AsyncDisposable {
  /** The last event. */
  readonly last: SubscribeToShardEvent | undefined;
  /** Whether Kinesis ended it. */
  readonly ended: boolean;
  /** Reads until at least so many records have come, or it ends. @returns all of them, as text. */
  texts(count: number): Promise<readonly string[]>;
}

/** Registers and subscribes at a Kinesis, whoever plays it. */
export class FanOutReader {
  readonly #client: KinesisClient;

  constructor(client: KinesisClient) {
    this.#client = client;
  }

  /** @returns its ARN, once it is active. */
  async register(StreamARN: string, ConsumerName: string): Promise<string> {
    const { Consumer } = await this.#client.send(
      new RegisterStreamConsumerCommand({ StreamARN, ConsumerName }),
    );
    const ConsumerARN = Consumer?.ConsumerARN ?? "";
    while ((await this.#status({ ConsumerARN })) !== "ACTIVE");
    return ConsumerARN;
  }

  /** Waits until a consumer is not there any more. */
  async gone(input: DescribeStreamConsumerCommandInput): Promise<void> {
    while ((await this.#status(input)) !== undefined);
  }

  async subscribe(input: SubscribeToShardCommandInput): Promise<PulledReading> {
    const stop = new AbortController();
    const { EventStream } = await this.#client.send(new SubscribeToShardCommand(input), {
      abortSignal: stop.signal,
    });
    const events = EventStream?.[Symbol.asyncIterator]();
    const found: string[] = [];
    let last: SubscribeToShardEvent | undefined;
    let ended = false;
    return {
      get last() {
        return last;
      },
      get ended() {
        return ended;
      },
      async texts(count) {
        while (found.length < count && !ended) {
          const step = await events?.next();
          ended = step?.done !== false;
          const event = step?.value?.SubscribeToShardEvent;
          if (event === undefined) continue;
          last = event;
          found.push(...texts(event));
        }
        return [...found];
      },
      [Symbol.asyncDispose]: () => {
        stop.abort();
        return Promise.resolve();
      },
    };
  }

  async #status(input: DescribeStreamConsumerCommandInput): Promise<string | undefined> {
    try {
      const { ConsumerDescription } = await this.#client.send(new DescribeStreamConsumerCommand(input));
      return ConsumerDescription?.ConsumerStatus;
    } catch (error) {
      if (error instanceof Error && error.name === "ResourceNotFoundException") return undefined;
      throw error;
    }
  }
}
