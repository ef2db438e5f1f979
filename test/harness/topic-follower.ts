import { type ReadTopicOptions, readTopic, type TopicMessage } from "@pulsar-ts-io/testkit";
import { eventually } from "./eventually.ts";

/** A message, and when a client that is not ours had it in hand. */
export interface SeenMessage extends TopicMessage {
  /** Milliseconds of `performance.now()`. */
  readonly seenAt: number;
}

/** Reads a topic with Pulsar's Java client while a test goes on. Disposing ends the reading. */
export class TopicFollower implements AsyncDisposable {
  readonly messages: SeenMessage[] = [];
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  #failure: unknown;

  constructor(options: Pick<ReadTopicOptions, "serviceUrl" | "topic" | "token">) {
    this.#reading = this.#read(options).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = error;
    });
  }

  /** The sequence numbers of Kinesis that have arrived, each once. */
  get sequenceNumbers(): Set<string> {
    return new Set(this.messages.map(sequenceNumberOf));
  }

  /** Waits until `count` different records have arrived. */
  async distinct(count: number, timeoutMs = 120_000): Promise<void> {
    await eventually(
      `${count} different records in the topic`,
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        return this.messages.length >= count && this.sequenceNumbers.size >= count;
      },
      { timeoutMs, everyMs: 20 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  async #read(options: Pick<ReadTopicOptions, "serviceUrl" | "topic" | "token">): Promise<void> {
    for await (const message of readTopic({ ...options, idleMs: 0, signal: this.#stop.signal })) {
      this.messages.push({ ...message, seenAt: performance.now() });
    }
  }
}

export function sequenceNumberOf(message: TopicMessage): string {
  return message.properties["kinesis.sequence.number"] ?? "";
}

export function shardOf(message: TopicMessage): string {
  return message.properties["kinesis.shard.id"] ?? "";
}
