import type { OutgoingMessage } from "../publisher.ts";

/**
 * Bytes of memory that `message` holds until it is settled: its value, key and properties.
 *
 * A text counts a byte for each unit, which is what the engine takes for Latin text, twice that for others. The copy in the
 * frame is counted with the frame.
 */
export function heldBytes(message: OutgoingMessage): number {
  const { key, orderingKey, properties } = message; // once: a source may make its properties when they are asked for
  let bytes = message.value.length + (key?.length ?? 0) + (orderingKey?.length ?? 0);
  for (const name in properties) bytes += name.length + (properties[name]?.length ?? 0);
  return bytes;
}
