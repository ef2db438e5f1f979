import { MessageRefusedError } from "./errors.ts";
import type { Delivery, OutgoingMessage } from "./publisher.ts";

/**
 * Fails `message` when it is not what its type says, later in this turn.
 *
 * Who makes it may write JavaScript. A number among the properties, found when half of the message is written already, would leave
 * that half in a batch: nobody could read those around it.
 *
 * @returns whether it failed, and must not be sent.
 */
export function failUnsendable(topic: string, message: OutgoingMessage, delivery: Delivery): boolean {
  const why = unsendable(message);
  if (why === undefined) return false;
  const error = new MessageRefusedError(`a message to ${topic} cannot be sent: ${why}`, {
    details: { topic },
    remedy: "let the source make values of bytes, keys of text or bytes, and properties of text",
  });
  queueMicrotask(() => delivery.failed(error));
  return true;
}

function unsendable({ value, key, orderingKey, properties }: OutgoingMessage): string | undefined {
  if (!(value instanceof Uint8Array)) return "its value is no Uint8Array";
  if (!(key === undefined || typeof key === "string" || key instanceof Uint8Array)) {
    return "its key is neither text nor a Uint8Array";
  }
  if (!(orderingKey === undefined || orderingKey instanceof Uint8Array)) {
    return "its ordering key is no Uint8Array";
  }
  for (const name in properties) {
    const text: unknown = properties[name];
    if (typeof text !== "string" && text !== undefined) return `its property ${name} is no text`;
  }
  return undefined;
}
