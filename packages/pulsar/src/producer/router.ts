import { keyText } from "../message-key.ts";
import type { OutgoingMessage } from "../publisher.ts";
import { murmur3 } from "./murmur3.ts";

/**
 * Chooses the partition of a message as Pulsar IO's FunctionResultRouter does: by the hash of its key; without one by its
 * sequence id, where the caller chose it; else by the millisecond.
 *
 * @param start a random offset, so that publishers do not walk over the partitions together.
 * @see FunctionResultRouter in apache/pulsar, pulsar-functions/instance
 */
export function choosePartition(
  message: OutgoingMessage,
  sequenceId: bigint | undefined,
  partitions: number,
  now: number,
  start: number,
): number {
  if (message.key !== undefined)
    return (murmur3(Buffer.from(keyText(message.key))) & 0x7fffffff) % partitions;
  if (sequenceId !== undefined) return Number(sequenceId % BigInt(partitions));
  return (Math.floor(now) + start) % partitions;
}
