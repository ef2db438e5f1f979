import type { Clock } from "@pulsar-ts-io/core";
import { ServiceError } from "./service-error.ts";
import { Stream } from "./stream.ts";
import type { StreamConsumer } from "./stream-consumers.ts";

export interface KinesisModelOptions {
  readonly clock: Clock;
  /** How long streams are CREATING and UPDATING, milliseconds; default 0. */
  readonly transitionMs?: number | undefined;
  /** Default 000000000000. */
  readonly accountId?: string | undefined;
}

/** The streams of one account, by region and name. What tests call to set the stage; the server calls the same. */
export class KinesisModel {
  readonly clock: Clock;
  readonly accountId: string;
  readonly #transitionMs: number;
  readonly #streams = new Map<string, Stream>();
  #lastStamp = 0;

  constructor(options: KinesisModelOptions) {
    this.clock = options.clock;
    this.accountId = options.accountId ?? "000000000000";
    this.#transitionMs = options.transitionMs ?? 0;
  }

  /** @throws ServiceError ResourceInUseException when there is one of that name. */
  createStream(name: string, shardCount: number, region = "us-east-1"): Stream {
    const arn = this.arn(name, region);
    if (this.#streams.has(arn)) {
      throw new ServiceError(
        "ResourceInUseException",
        `Stream ${name} under account ${this.accountId} already exists.`,
      );
    }
    const stream = new Stream({
      name,
      arn,
      accountId: this.accountId,
      shardCount,
      createdMs: this.clock.now(),
      transitionMs: this.#transitionMs,
      stamp: (nowMs) => this.#stamp(nowMs),
    });
    this.#streams.set(arn, stream);
    return stream;
  }

  /** @throws ServiceError ResourceNotFoundException */
  deleteStream(name: string, region = "us-east-1"): void {
    const stream = this.stream(name, region);
    this.#streams.delete(stream.arn);
    for (const consumer of stream.consumers.list()) stream.consumers.deregister(consumer);
  }

  /** Deletes the stream and creates another of its name, whose sequence numbers have nothing to do with the old ones. */
  recreateStream(name: string, shardCount: number, region = "us-east-1"): Stream {
    this.deleteStream(name, region);
    return this.createStream(name, shardCount, region);
  }

  /** @throws ServiceError ResourceNotFoundException */
  stream(name: string, region = "us-east-1"): Stream {
    return this.streamByArn(this.arn(name, region));
  }

  /** @throws ServiceError ResourceNotFoundException */
  streamByArn(arn: string): Stream {
    const stream = this.#streams.get(arn);
    if (stream !== undefined) return stream;
    const name = arn.slice(arn.indexOf("/") + 1);
    throw new ServiceError(
      "ResourceNotFoundException",
      `Stream ${name} under account ${this.accountId} not found.`,
    );
  }

  /** @throws ServiceError ResourceNotFoundException */
  consumerByArn(arn: string): { readonly stream: Stream; readonly consumer: StreamConsumer } {
    const stream = this.streamByArn(arn.slice(0, Math.max(0, arn.indexOf("/consumer/"))));
    return { stream, consumer: stream.consumers.byArn(arn) };
  }

  /** Names of the streams of a region, sorted. */
  streamNames(region = "us-east-1"): readonly string[] {
    const prefix = this.arn("", region);
    const streams = [...this.#streams.values()].filter((stream) => stream.arn.startsWith(prefix));
    return streams.map((stream) => stream.name).sort();
  }

  arn(name: string, region: string): string {
    return `arn:aws:kinesis:${region}:${this.accountId}:stream/${name}`;
  }

  #stamp(nowMs: number): number {
    this.#lastStamp = Math.max(this.#lastStamp + 1, Math.floor(nowMs / 1_000));
    return this.#lastStamp;
  }
}
