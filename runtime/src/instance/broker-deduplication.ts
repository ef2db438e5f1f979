import { toError } from "@pulsar-ts-io/core";
import { parseTopicName, readTopicDeduplication, type WebService } from "@pulsar-ts-io/pulsar";
import { DeduplicationUnknownError, NotDeduplicatedError } from "./errors.ts";
import type { Deduplication } from "./partition-publishers.ts";

/** Asks Pulsar's admin API whether topics deduplicate: the producer's protocol does not tell. */
export class BrokerDeduplication implements Deduplication {
  readonly #connect: () => WebService;

  /** @param connect makes the client; what it throws means that nobody can be asked. */
  constructor(connect: () => WebService) {
    this.#connect = connect;
  }

  /** @throws NotDeduplicatedError (`PIO_NOT_DEDUPLICATED`), DeduplicationUnknownError (`PIO_DEDUPLICATION_UNKNOWN`). */
  async ensure(topic: string, signal: AbortSignal): Promise<void> {
    if (await this.#ask(topic, signal)) return;
    const { domain, tenant, namespace, full } = parseTopicName(topic);
    throw new NotDeduplicatedError(`${full} does not deduplicate, and EFFECTIVELY_ONCE needs it`, {
      details: { topic: full },
      remedy:
        domain === "persistent"
          ? `enable it: pulsar-admin namespaces set-deduplication --enable ${tenant}/${namespace}, or for this topic alone: pulsar-admin topicPolicies set-deduplication --enable ${full}`
          : "publish to a persistent topic",
    });
  }

  async #ask(topic: string, signal: AbortSignal): Promise<boolean> {
    try {
      return await readTopicDeduplication(this.#connect(), topic, signal);
    } catch (error) {
      signal.throwIfAborted();
      const cause = toError(error);
      throw new DeduplicationUnknownError(`nobody says whether ${topic} deduplicates: ${cause.message}`, {
        cause,
        details: { topic },
        remedy:
          "give the address of Pulsar's admin API with --web-service-url and a role that may read the topic's policies, or say with --assume-deduplication that it does",
      });
    }
  }
}
