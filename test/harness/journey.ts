import { type RunningStack, uniqueName, uniqueTopic } from "../stack.ts";
import type { Cli, CliExit } from "./cli.ts";
import { type Comparison, compare } from "./comparison.ts";
import { KinesisStream, type PutRecord, type StoredRecord } from "./kinesis-stream.ts";
import { type PipelineOptions, runPipeline } from "./pipeline.ts";
import { TopicFollower } from "./topic-follower.ts";

/** The end of a clean stop. */
export const cleanExit: CliExit = { code: 0, signal: null };

/** A stream, a lease table of its own, a topic and a reader of that topic: what an end-to-end test sets out from. */
export class Journey implements AsyncDisposable {
  readonly stream: KinesisStream;
  readonly follower: TopicFollower;
  /** Everything that was put so far. */
  readonly stored: StoredRecord[] = [];
  readonly #options: PipelineOptions;
  #textCount = 0;

  private constructor(stream: KinesisStream, options: PipelineOptions, follower: TopicFollower) {
    this.stream = stream;
    this.#options = options;
    this.follower = follower;
  }

  /** @param reader what the reader of the topic needs besides; the CLI's part of it is an argument of {@link run}. */
  static async begin(
    stack: RunningStack,
    name: string,
    shardCount: number,
    reader: { readonly token?: string } = {},
  ): Promise<Journey> {
    const stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName(name), shardCount);
    const topic = uniqueTopic(name);
    const follower = new TopicFollower({ ...reader, serviceUrl: stack.pulsarServiceUrl, topic });
    const options = { ...stack, streamName: stream.name, applicationName: stream.name, topic };
    return new Journey(stream, options, follower);
  }

  get applicationName(): string {
    return this.#options.applicationName;
  }

  get topic(): string {
    return this.#options.topic;
  }

  /** Starts the real CLI; `changes` differ from the usual options. */
  run(changes: Partial<PipelineOptions> = {}): Cli {
    return runPipeline({ ...this.#options, ...changes });
  }

  async put(records: readonly PutRecord[]): Promise<readonly StoredRecord[]> {
    const stored = await this.stream.put(records);
    this.stored.push(...stored);
    return stored;
  }

  /** Puts `count` short records under as many keys. */
  async putTexts(count: number): Promise<readonly StoredRecord[]> {
    const records = Array.from({ length: count }, () => {
      this.#textCount += 1;
      return { key: `key-${this.#textCount}`, data: Buffer.from(`record ${this.#textCount}`) };
    });
    return await this.put(records);
  }

  /** Waits until the reader has seen everything that was put. */
  async arrived(timeoutMs?: number): Promise<void> {
    await this.follower.distinct(this.stored.length, timeoutMs);
  }

  comparison(): Comparison {
    return compare(this.stored, this.follower.messages);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follower[Symbol.asyncDispose]();
    await this.stream[Symbol.asyncDispose]();
  }
}
