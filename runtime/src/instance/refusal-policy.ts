import { codeOf, hasCode } from "@pulsar-ts-io/core";

/** What `--on-refused` may be. */
export const refusalActions = ["fail", "skip", "dead-letter"] as const;

/**
 * What becomes of a record that Pulsar refuses for good.
 *
 * `fail`: its source is told, and the run ends if the source cannot be. `skip`: it is logged, counted and acknowledged.
 * `dead-letter`: it is published to `topic` with the reason, and acknowledged when that was confirmed.
 */
export type RefusalPolicy =
  | { readonly kind: "fail" }
  | { readonly kind: "skip" }
  | { readonly kind: "dead-letter"; readonly topic: string };

/** Whether `error` is about this one message: too large, or not allowed. Others are about the topic, and meet every record. */
export function isAboutOneMessage(error: unknown): boolean {
  return hasCode(error, "PIO_MESSAGE_TOO_LARGE") || hasCode(error, "PIO_MESSAGE_REFUSED");
}

const aboutTheTopic: ReadonlySet<string> = new Set([
  "PIO_PULSAR_AUTHENTICATION",
  "PIO_PULSAR_AUTHORIZATION",
  "PIO_PARTITIONS_GONE",
  "PIO_TOPIC_NOT_FOUND",
  "PIO_TOPIC_TERMINATED",
]);

/** Whether every other record would be refused, too. */
export function isAboutTheTopic(error: unknown): boolean {
  return aboutTheTopic.has(codeOf(error) ?? "");
}
