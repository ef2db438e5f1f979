import { ServiceError } from "./service-error.ts";

export type ConsumerStatus = "ACTIVE" | "CREATING";

/** A subscription, as its consumer knows it. */
export interface GrantedSubscription {
  /** Whether it is too young to be taken over. */
  readonly exclusive: boolean;
  /** Ends it, with an exception for whoever reads it. */
  end(why: ServiceError): void;
}

/** A consumer that is registered for enhanced fan-out. */
export interface StreamConsumer {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  /** Until when it is CREATING, milliseconds since the epoch. */
  readonly activeMs: number;
  /** The last one to each shard, also when it has ended. */
  readonly subscriptions: Map<string, GrantedSubscription>;
}

/** AWS, for a stream that is not in the On-demand Advantage mode. */
const maxConsumers = 20;
/** AWS: at most so many may be CREATING at once. */
const maxCreating = 5;

/** The consumers of one stream. */
export class StreamConsumers {
  readonly #streamArn: string;
  readonly #transitionMs: number;
  readonly #consumers = new Map<string, StreamConsumer>();

  /** @param transitionMs how long a consumer is CREATING. */
  constructor(streamArn: string, transitionMs: number) {
    this.#streamArn = streamArn;
    this.#transitionMs = transitionMs;
  }

  /** By name. */
  list(): readonly StreamConsumer[] {
    return [...this.#consumers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws ServiceError ResourceInUseException, LimitExceededException */
  register(name: string, nowMs: number): StreamConsumer {
    if (this.#consumers.has(name)) {
      throw new ServiceError(
        "ResourceInUseException",
        `Consumer ${name} of stream ${this.#streamArn} already exists.`,
      );
    }
    const creating = this.list().filter((consumer) => statusOf(consumer, nowMs) === "CREATING").length;
    if (this.#consumers.size >= maxConsumers || creating >= maxCreating) {
      throw new ServiceError(
        "LimitExceededException",
        `Consumers of stream ${this.#streamArn}: ${this.#consumers.size} of ${maxConsumers} exist, ${creating} of ${maxCreating} are being created.`,
      );
    }
    const consumer: StreamConsumer = {
      name,
      arn: `${this.#streamArn}/consumer/${name}:${Math.floor(nowMs / 1_000)}`,
      createdMs: nowMs,
      activeMs: nowMs + this.#transitionMs,
      subscriptions: new Map(),
    };
    this.#consumers.set(name, consumer);
    return consumer;
  }

  /** @throws ServiceError ResourceNotFoundException */
  byName(name: string): StreamConsumer {
    return this.#found(this.#consumers.get(name), name);
  }

  /** @throws ServiceError ResourceNotFoundException */
  byArn(arn: string): StreamConsumer {
    return this.#found(
      this.list().find((consumer) => consumer.arn === arn),
      arn,
    );
  }

  /** Deletes one, and ends its subscriptions. */
  deregister(consumer: StreamConsumer): void {
    this.#consumers.delete(consumer.name);
    for (const subscription of consumer.subscriptions.values()) subscription.end(notFound(consumer.arn));
  }

  #found(consumer: StreamConsumer | undefined, asked: string): StreamConsumer {
    if (consumer === undefined) throw notFound(asked);
    return consumer;
  }
}

export function statusOf(consumer: StreamConsumer, nowMs: number): ConsumerStatus {
  return nowMs >= consumer.activeMs ? "ACTIVE" : "CREATING";
}

function notFound(consumer: string): ServiceError {
  return new ServiceError("ResourceNotFoundException", `Consumer ${consumer} not found.`);
}
