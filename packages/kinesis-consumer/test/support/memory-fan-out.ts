import type { Clock } from "@pulsar-ts-io/core";
import type { Shard, Stream } from "@pulsar-ts-io/testkit";
import {
  AwsUnreachableError,
  PositionRefusedError,
  ShardNotFoundError,
  SubscriptionInUseError,
} from "../../src/errors.ts";
import type { FanOutService, RegisteredConsumer } from "../../src/fetch/fan-out-service.ts";
import type { ReadPosition, RecordPage } from "../../src/shard/kinesis-stream.ts";
import { shardId as idOfText, type ShardId } from "../../src/shard/shard.ts";

const makingMs = 2_000;
const subscriptionMs = 300_000;
const inUseMs = 5_000;

const lookMs = 250;

/** What a test sees of a call of SubscribeToShard that got through. */
export interface AskedSubscription {
  readonly shardId: ShardId;
  readonly position: ReadPosition;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

interface Live {
  readonly shard: Shard;
  readonly startMs: number;
  offset: number;
  state: "open" | "ended" | "reset" | "silent";
}

/** Enhanced fan-out of a stream in memory, as AWS describes it; ends and breaks subscriptions when a test says so. */
export class MemoryFanOut implements FanOutService {
  readonly asked: AskedSubscription[] = [];
  /** Records an event holds at most. */
  eventRecords = 100;
  /** How long it says nothing of an idle shard. */
  emptyEventMs = 5_000;
  /** Thrown by the next subscriptions, in order. */
  readonly refusals: Error[] = [];
  /** So many of the next ends of shards do not name the children. */
  endsWithoutChildren = 0;
  /** Events handed out. */
  pulled = 0;
  registrations = 0;
  readonly #stream: Stream;
  readonly #clock: Clock;
  readonly #consumers = new Map<string, { readonly arn: string; readonly activeMs: number }>();
  readonly #live = new Map<ShardId, Live>();
  /** Continuation numbers name no record. */
  readonly #continuations = new Map<string, number>();

  constructor(stream: Stream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  describeConsumer(name: string): Promise<RegisteredConsumer | undefined> {
    const found = this.#consumers.get(name);
    if (found === undefined) return Promise.resolve(undefined);
    return Promise.resolve({ arn: found.arn, active: this.#clock.monotonic() >= found.activeMs });
  }

  registerConsumer(name: string): Promise<void> {
    if (!this.#consumers.has(name)) {
      this.registrations += 1;
      const arn = `${this.#stream.arn}/consumer/${name}:${this.registrations}`;
      this.#consumers.set(name, { arn, activeMs: this.#clock.monotonic() + makingMs });
    }
    return Promise.resolve();
  }

  /** Deregisters every consumer, which ends what it subscribed to. */
  deregister(): void {
    this.#consumers.clear();
    for (const live of this.#live.values()) live.state = "ended";
  }

  /** Ends or breaks the subscription to a shard. */
  cut(shardId: ShardId, how: "ended" | "reset" | "silent"): void {
    const live = this.#live.get(shardId);
    if (live !== undefined) live.state = how;
  }

  subscribe(
    shardId: ShardId,
    consumerArn: string,
    position: ReadPosition,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RecordPage>> {
    return Promise.resolve().then(() => {
      const nowMs = this.#clock.monotonic();
      this.asked.push({ shardId, position, atMs: nowMs });
      const refusal = this.refusals.shift();
      if (refusal !== undefined) throw refusal;
      const known = [...this.#consumers.values()].some((consumer) => consumer.arn === consumerArn);
      const shard = this.#stream.shards(this.#clock.now()).find((one) => one.id === shardId);
      if (!known || shard === undefined) throw new ShardNotFoundError(`no ${shardId}, or no ${consumerArn}`);
      const former = this.#live.get(shardId);
      if (former !== undefined && nowMs - former.startMs < inUseMs) {
        throw new SubscriptionInUseError(`${shardId} was subscribed to a moment ago`);
      }
      if (former?.state === "open") former.state = "ended";
      const live: Live = { shard, startMs: nowMs, offset: this.#seek(shard, position), state: "open" };
      this.#live.set(shardId, live);
      return this.#events(live, signal);
    });
  }

  #seek(shard: Shard, position: ReadPosition): number {
    const { log } = shard;
    if (position.kind === "trim-horizon") return log.start;
    if (position.kind === "at-timestamp") return log.firstSince(position.epochMs);
    const { kind, sequenceNumber } = position;
    const continued = this.#continuations.get(sequenceNumber);
    if (continued !== undefined && kind === "after-sequence") return continued;
    const offset = shard.seek(BigInt(sequenceNumber), kind === "after-sequence");
    if (offset === undefined) throw new PositionRefusedError(`${sequenceNumber} is none of ${shard.id}`);
    return Math.max(offset, log.start);
  }

  async *#events(live: Live, signal: AbortSignal): AsyncGenerator<RecordPage, void, undefined> {
    let saidMs = this.#clock.monotonic();
    while (this.#clock.monotonic() - live.startMs < subscriptionMs && live.state !== "ended") {
      signal.throwIfAborted();
      const event = this.#due(live, saidMs);
      if (event === undefined) {
        await this.#clock.sleep(lookMs, signal);
        continue;
      }
      saidMs = this.#clock.monotonic();
      this.pulled += 1;
      yield event;
      if (event.next === undefined) return;
    }
  }

  /** What there is to say now: an empty event only every five seconds. */
  #due(live: Live, saidMs: number): RecordPage | undefined {
    if (live.state === "reset") throw new AwsUnreachableError("reset by order of the test");
    if (live.state === "silent") return undefined;
    const event = this.#event(live);
    const quiet = event.records.length === 0 && event.next !== undefined;
    return quiet && this.#clock.monotonic() - saidMs < this.emptyEventMs ? undefined : event;
  }

  #event(live: Live): RecordPage {
    const { shard } = live;
    const { chunks, count } = shard.log.read(live.offset, {
      maxCount: this.eventRecords,
      maxBytes: Number.POSITIVE_INFINITY,
    });
    live.offset += count;
    const atEnd = !shard.open && live.offset >= shard.log.end;
    const next = String(10n ** 60n + BigInt(this.#continuations.size));
    if (!atEnd) this.#continuations.set(next, live.offset);
    return {
      records: parseRecords(Buffer.concat(chunks).toString()),
      next: atEnd ? undefined : next,
      millisBehindLatest: live.offset < shard.log.end ? 1 : 0,
      children: atEnd ? this.#childrenToTell(shard) : [],
    };
  }

  #childrenToTell(shard: Shard): RecordPage["children"] {
    if (this.endsWithoutChildren === 0) return this.#children(shard);
    this.endsWithoutChildren -= 1;
    return [];
  }

  #children(shard: Shard): RecordPage["children"] {
    const shards = this.#stream.shards(this.#clock.now());
    return shards
      .filter((one) => shard.childIds.includes(one.id))
      .map((child) => ({
        shardId: idOfText(child.id),
        parentShardIds: child.parentIds.map(idOfText),
        hashKeyRange: child.range,
      }));
  }
}

/** The log keeps records as the JSON they are answered with, each after a comma. */
function parseRecords(json: string): RecordPage["records"] {
  const records: readonly {
    readonly Data: string;
    readonly PartitionKey: string;
    readonly SequenceNumber: string;
    readonly ApproximateArrivalTimestamp: number;
  }[] = JSON.parse(`[${json.slice(1)}]`);
  return records.map((record) => ({
    ...record,
    Data: Buffer.from(record.Data, "base64"),
    ApproximateArrivalTimestamp: new Date(record.ApproximateArrivalTimestamp * 1_000),
  }));
}
