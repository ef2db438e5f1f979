import type { ConfigProblem } from "@pulsar-ts-io/config";
import { type PublisherOptions, parseTopicName } from "@pulsar-ts-io/pulsar";
import type { RefusalPolicy, refusalActions } from "../instance/refusal-policy.ts";
import type { Destination } from "./transport.ts";
import { UsageError } from "./usage-error.ts";

/** What shall become of records that Pulsar refuses, as given. */
export interface RefusalFlags extends Destination {
  readonly onRefused: (typeof refusalActions)[number];
  readonly deadLetterTopic?: string | undefined;
}

/** @throws UsageError (`PIO_USAGE`), InvalidTopicNameError (`PIO_INVALID_TOPIC_NAME`). */
export function resolveRefusalPolicy(
  { onRefused, deadLetterTopic: letters }: RefusalFlags,
  topic: string,
): RefusalPolicy {
  if (onRefused !== "dead-letter") {
    if (letters === undefined) return { kind: onRefused };
    throw new UsageError(`--dead-letter-topic has no effect with --on-refused ${onRefused}`, {
      remedy: "add --on-refused dead-letter, or leave the topic out",
    });
  }
  if (letters === undefined || letters === "") {
    throw new UsageError("--on-refused dead-letter needs a topic", {
      remedy: "name it with --dead-letter-topic",
    });
  }
  if (parseTopicName(letters).full !== parseTopicName(topic).full) return { kind: onRefused, topic: letters };
  throw new UsageError(`the dead-letter topic is the one that refuses: ${letters}`, {
    remedy: "name another topic with --dead-letter-topic",
  });
}

/** What settings ask for that cannot be told from what was refused. */
export function refusalProblems(
  { onRefused, output, pulsarTransport }: RefusalFlags,
  { batching }: PublisherOptions,
): readonly ConfigProblem[] {
  if (onRefused === "fail" || output !== "pulsar" || pulsarTransport !== "native" || batching === undefined)
    return [];
  return [
    {
      path: "producerConfig.batchingConfig",
      message: `the native transport does not tell a refused record from its batch, and --on-refused ${onRefused} needs that`,
      remedy: 'turn batches off with {"batchingConfig": {"enabled": false}}, or use the wire transport',
    },
  ];
}
