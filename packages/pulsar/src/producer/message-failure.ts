import type { ConnectorError } from "@pulsar-ts-io/core";
import {
  InvalidSequenceIdError,
  MessageNotStoredError,
  MessageRefusedError,
  MessageTooLargeError,
  ProducerFencedError,
  SendTimeoutError,
} from "../errors.ts";

/** @param bytes metadata and payload. */
export function messageTooLarge(topic: string, bytes: number, limitBytes: number): MessageTooLargeError {
  return new MessageTooLargeError(
    `a message to ${topic} has ${bytes} bytes with its metadata, where the broker takes ${limitBytes}`,
    {
      details: { topic, bytes, limitBytes },
      remedy: "raise the broker's maxMessageSize, compress, or publish smaller records",
    },
  );
}

/** The topic's policies do not allow this message. @param messages how many went in one frame, and are refused together. */
export function messageRefused(cause: ConnectorError, messages: number): MessageRefusedError {
  return new MessageRefusedError(cause.message, {
    cause,
    details: { ...cause.details, messages },
    remedy: "check the limits that the topic's policies set for messages",
  });
}

/** The broker found a wrong checksum, and it is wrong here, too. @param messages as for {@link messageRefused}. */
export function messageChanged(topic: string, cause: ConnectorError, messages: number): MessageRefusedError {
  return new MessageRefusedError(`a message to ${topic} was changed after it was handed over`, {
    cause,
    details: { topic, messages },
    remedy: "leave a record's value alone until it is acknowledged",
  });
}

/** The broker answered with no message id where that cannot mean a duplicate. */
export function messageNotStored(topic: string): MessageNotStoredError {
  const persistent = topic.startsWith("persistent:");
  return new MessageNotStoredError(`a message to ${topic} was answered, but not stored`, {
    details: { topic },
    remedy: persistent
      ? "use another producer name: the topic remembers higher sequence ids of this one"
      : "publish to a persistent topic: others drop messages under load",
  });
}

/** Nobody knows whether the broker has it. */
export function sendTimedOut(topic: string, timeoutMs: number): SendTimeoutError {
  return new SendTimeoutError(`a message to ${topic} was not confirmed in ${timeoutMs} ms`, {
    details: { topic, timeoutMs },
    remedy: "check the broker, or let messages wait longer; sendTimeoutMs 0 lets them wait for ever",
  });
}

/** Ids of batches by key interleave: the broker would take some of them for duplicates. */
export function chosenIdInKeyedBatch(topic: string): InvalidSequenceIdError {
  return new InvalidSequenceIdError(
    `a message to ${topic} came with a sequence id while batches are made by key`,
    {
      details: { topic },
      remedy: "use batchBuilder DEFAULT where messages carry sequence ids",
    },
  );
}

/** @param before the id before it, which it is not above; absent: it is out of range. */
export function invalidSequenceId(
  topic: string,
  sequenceId: bigint | number,
  before?: number,
): InvalidSequenceIdError {
  const why = before === undefined ? "is out of range" : `is not above ${before}`;
  return new InvalidSequenceIdError(`the sequence id ${sequenceId} for ${topic} ${why}`, {
    details: { topic },
    remedy: "give sequence ids that are integers of 0 to 2^53 - 1 and strictly increase on each partition",
  });
}

/** Another producer of this name wrote, while this one had no session, up to an id in the middle of a batch that waits here. */
export function nameTaken(topic: string, name: string | undefined, sequenceId: number): ProducerFencedError {
  return new ProducerFencedError(
    `another producer named ${name} published to ${topic} up to the sequence id ${sequenceId}, in the middle of a batch that was to follow`,
    {
      details: { topic, sequenceId },
      remedy:
        "let only one process use the name; what is not confirmed has to be sent again by a new publisher",
    },
  );
}
