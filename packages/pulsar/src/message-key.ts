import type { OutgoingMessage } from "./publisher.ts";

/** The key as text: bytes as their Base64, which is how they travel and what they are hashed by. */
export function keyText(key: NonNullable<OutgoingMessage["key"]>): string {
  return typeof key === "string"
    ? key
    : Buffer.from(key.buffer, key.byteOffset, key.length).toString("base64");
}
