import { codeOf } from "@pulsar-ts-io/core";

/** Failures of an instance that the next start would meet again, or that ask for no other start. */
const incurable = new Set([
  "PIO_BATCH_REFUSED",
  "PIO_CONSOLE_CLOSED",
  "PIO_DEAD_LETTER_REFUSED",
  "PIO_MESSAGE_REFUSED",
  "PIO_MESSAGE_TOO_LARGE",
  "PIO_NO_TOPIC",
  "PIO_PRODUCER_NAME_IN_DOUBT",
  "PIO_TOPIC_TERMINATED",
  "PIO_UNNUMBERED_RECORD",
]);

/** Whether another start may do better: what failed is an instance, and not for good. */
export function isCurable(error: unknown): boolean {
  const isFailedInstance = typeof error === "object" && error !== null && "stage" in error;
  return isFailedInstance && !incurable.has(codeOf(error) ?? "");
}
