import type { KinesisStream } from "../shard/kinesis-stream.ts";
import { type FanOutOptions, type SubscribedShard, subscribeToShard } from "./fan-out.ts";
import type { FanOutConsumer } from "./fan-out-consumer.ts";
import { type FetchedPage, type PollingOptions, pollShard, type ReadEnd } from "./polling.ts";

/** How the shards of a stream are read, once that is settled. */
export type Retrieval =
  | { readonly kind: "polling"; readonly idleMs: number }
  | { readonly kind: "fan-out"; readonly consumer: FanOutConsumer };

export interface ShardReaderOptions extends FanOutOptions, Omit<PollingOptions, "idleMs"> {
  readonly retrieval: Retrieval;
}

/** Yields the pages of one shard in order until the shard ends, whichever way it is read. */
export function readShard(
  stream: KinesisStream,
  shard: SubscribedShard,
  options: ShardReaderOptions & { readonly signal: AbortSignal },
): AsyncGenerator<FetchedPage, ReadEnd, undefined> {
  const { retrieval } = options;
  return retrieval.kind === "polling"
    ? pollShard(stream, shard, { ...options, idleMs: retrieval.idleMs })
    : subscribeToShard(retrieval.consumer, shard, options);
}
