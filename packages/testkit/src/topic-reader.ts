import {
  BoundedQueue,
  type ConnectorError,
  silentLogger,
  silentMeter,
  systemClock,
} from "@pulsar-ts-io/core";
import {
  ConnectionLostError,
  type ConsumerLink,
  decodeEntry,
  type EntryMessage,
  loadCodecs,
  parseTopicName,
  type TlsOptions,
  WireClient,
} from "@pulsar-ts-io/pulsar";

/** A message as our own reader sees it. */
export interface ReadMessage extends EntryMessage {
  /** The partition's own topic where there are partitions. */
  readonly topic: string;
  /** -1 when the topic is not partitioned. */
  readonly partition: number;
  readonly ledgerId: bigint;
  readonly entryId: bigint;
}

export interface TopicReaderOptions {
  readonly serviceUrl: string;
  readonly topic: string;
  /** Java's class name or `token`; default none. */
  readonly authPlugin?: string | undefined;
  readonly authParams?: string | undefined;
  /** Default: the authorities Node trusts, host names verified. */
  readonly tls?: TlsOptions | undefined;
  /** Ends the reading. */
  readonly signal: AbortSignal;
}

/** Messages the broker may send ahead on one partition. */
const permits = 1_000;
const exclusive = 0;
const earliest = { ledgerId: -1n, entryId: -1n };
const earliestPosition = 1;

type Arrival =
  | { readonly kind: "entry"; readonly partition: Subscription; readonly entry: Entry }
  | { readonly kind: "end"; readonly error: ConnectorError };

interface Entry {
  readonly ledgerId: bigint;
  readonly entryId: bigint;
  readonly messages: readonly EntryMessage[];
}

interface Subscription {
  readonly topic: string;
  readonly partition: number;
  /** Says that `count` messages were taken over. */
  taken(count: number): void;
}

/**
 * Yields every message of a topic, all its partitions included, from the earliest on; waits for more at the end.
 *
 * In order for each partition. Leaves nothing behind on the broker: the subscription is not durable. Needs no Java, and knows
 * only what the broker stored. Break out of the loop, or abort, to end it. It does not reconnect.
 *
 * @throws the signal's reason; ConnectionLostError (`PIO_PULSAR_CONNECTION_LOST`) when a broker goes away or closes the reader.
 */
export async function* readMessages(
  options: TopicReaderOptions,
): AsyncGenerator<ReadMessage, void, undefined> {
  const { signal, tls = { allowInsecure: false, hostnameVerification: true } } = options;
  const client = new WireClient(
    { ...options, tls },
    { clock: systemClock, logger: silentLogger, meter: silentMeter },
  );
  // The permits bound it; one place more for each partition is for the end of its connection.
  const arrivals = new Arrivals();
  try {
    await loadCodecs();
    const { full, partition } = parseTopicName(options.topic);
    const count = await client.lookup.partitions(full, false, signal);
    const topics =
      count === 0 ? [full] : Array.from({ length: count }, (_, index) => `${full}-partition-${index}`);
    for (const [index, topic] of topics.entries()) {
      await subscribe(client, { topic, partition: count === 0 ? partition : index }, arrivals, signal);
    }
    for (;;) {
      const arrival = await arrivals.next(signal);
      if (arrival.kind === "end") throw arrival.error;
      const { entry, partition: from } = arrival;
      for (const message of entry.messages) {
        const { ledgerId, entryId } = entry;
        yield { ...message, topic: from.topic, partition: from.partition, ledgerId, entryId };
      }
      from.taken(entry.messages.length);
    }
  } finally {
    await client.close();
  }
}

/** What arrived and was not taken yet. */
class Arrivals {
  readonly #queue = new BoundedQueue<Arrival>(Number.MAX_SAFE_INTEGER);

  /** The queue has room for all that permits allow: nobody waits. */
  add(arrival: Arrival): void {
    void this.#queue.put(arrival, never);
  }

  next(signal: AbortSignal): Promise<Arrival> {
    return this.#queue.take(signal);
  }
}

const never: AbortSignal = new AbortController().signal;

async function subscribe(
  client: WireClient,
  { topic, partition }: Omit<Subscription, "taken">,
  arrivals: Arrivals,
  signal: AbortSignal,
): Promise<void> {
  const connection = await client.pool.get(await client.lookup.broker(topic, signal), signal);
  const consumerId = client.nextId();
  let taken = 0;
  const from: Subscription = {
    topic,
    partition,
    taken(count) {
      taken += count;
      if (taken < permits / 2) return;
      connection.flow(consumerId, taken);
      taken = 0;
    },
  };
  const link: ConsumerLink = {
    message({ messageId: { ledgerId, entryId } }, content) {
      const messages = decodeEntry(Uint8Array.from(content));
      arrivals.add({ kind: "entry", partition: from, entry: { ledgerId, entryId, messages } });
    },
    closedByBroker() {
      arrivals.add({ kind: "end", error: new ConnectionLostError(`the reader of ${topic} was closed`) });
    },
    connectionLost(error) {
      arrivals.add({ kind: "end", error });
    },
  };
  connection.attachConsumer(consumerId, link);
  const command = {
    topic,
    subscription: `reader-${crypto.randomUUID()}`,
    type: exclusive,
    consumerId,
    durable: false,
    startMessageId: earliest,
    initialPosition: earliestPosition,
    forceTopicCreation: false,
  };
  await connection.request("subscribe", command, `the reader of ${topic}`, signal);
  connection.flow(consumerId, permits);
}
