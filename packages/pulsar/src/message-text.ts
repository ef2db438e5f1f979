import { isUtf8 } from "node:buffer";
import { escapeBytes, escapeText } from "./escape-text.ts";
import { keyText } from "./message-key.ts";
import type { OutgoingMessage } from "./publisher.ts";

/**
 * A message as `pulsar-client consume` prints it, safe for a terminal.
 *
 * Control characters of every part, line breaks included, appear as `\n`, `\t` or `\xNN`, and so do bytes that are not UTF-8:
 * the content of a record can neither move the cursor nor look like another record. Backslashes stay single, so that JSON
 * stays readable; the text is for people and cannot be turned back into bytes.
 */
export function formatMessage(message: OutgoingMessage): string {
  const properties = Object.entries(message.properties ?? {}).map(([name, value]) => `${name}=${value}`);
  const key = escapeText(message.key === undefined ? "null" : keyText(message.key));
  return `----- got message -----\nkey:[${key}], properties:[${escapeText(properties.join(", "))}], content:${contentText(message.value)}\n`;
}

function contentText(value: Uint8Array): string {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.length);
  return isUtf8(buffer) ? escapeText(buffer.toString("utf8")) : escapeBytes(buffer);
}
