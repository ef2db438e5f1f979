import type { Transport } from "@pulsar-ts-io/pulsar";
import { DeadLetters } from "./dead-letters.ts";
import type { InstanceOptions } from "./instance-options.ts";
import { PartitionPublishers } from "./partition-publishers.ts";
import type { Publishers } from "./publishers.ts";
import { TopicPublishers } from "./topic-publishers.ts";

/** Where the records of one instance go: to their topics, or with the dead letters. */
export class Outlets {
  readonly publishers: Publishers;
  /** Absent: records that are refused go nowhere. */
  readonly letters: DeadLetters | undefined;
  readonly #topic: string | undefined;

  /** @param onFailed called when nothing can be published any more, and nobody waits for it. */
  constructor(transport: Transport, options: InstanceOptions, onFailed: (error: unknown) => void) {
    const { publisher, clock, logger, topic, guarantee, deduplication, onRefused } = options;
    this.#topic = topic;
    const { tenant, namespace, name, partitionIds, earlierProducer: earlier } = options;
    const source = partitionIds === "global" ? undefined : `${tenant}/${namespace}/${name}`;
    const names = { source, earlier };
    this.publishers =
      guarantee === "EFFECTIVELY_ONCE"
        ? new PartitionPublishers(transport, { names, publisher, clock, logger, deduplication, onFailed })
        : new TopicPublishers(transport, { publisher, clock, logger, keep: topic });
    if (onRefused.kind === "dead-letter")
      this.letters = new DeadLetters(transport, onRefused.topic, publisher);
  }

  /** Before anything is read. @throws why one of them cannot be published to. */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#topic !== undefined) await this.publishers.prepare(this.#topic, signal);
    await this.letters?.open(signal);
  }

  /** Waits until everything sent is settled. */
  async flush(signal: AbortSignal): Promise<void> {
    await this.publishers.flush(signal);
    await this.letters?.flush(signal); // those that were refused until then
  }

  async close(): Promise<void> {
    try {
      await this.publishers.close();
    } finally {
      await this.letters?.close();
    }
  }
}
