import { isUtf8 } from "node:buffer";
import { keyText } from "./message-key.ts";
import type { OutgoingMessage } from "./publisher.ts";

/**
 * A message as `pulsar-client consume` prints it, safe for a terminal.
 *
 * Control characters of every part, line breaks included, appear as `\n`, `\t` or `\xNN`, and so do bytes that are no UTF-8:
 * what a record holds can neither move the cursor nor look like another record. Backslashes stay single, so that JSON
 * stays readable; the text is for people and cannot be turned back into bytes.
 */
export function formatMessage(message: OutgoingMessage): string {
  const properties = Object.entries(message.properties ?? {}).map(([name, value]) => `${name}=${value}`);
  const key = escapeText(message.key === undefined ? "null" : keyText(message.key));
  return `----- got message -----\nkey:[${key}], properties:[${escapeText(properties.join(", "))}], content:${contentText(message.value)}\n`;
}

/** C0, DEL and C1, line and paragraph separators, and the marks that turn the direction of text. */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const shortEscapes: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

function contentText(value: Uint8Array): string {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (isUtf8(buffer)) return escapeText(buffer.toString("utf8"));
  // Printable ASCII is all that can be told from bytes of an unknown encoding.
  return buffer.toString("latin1").replace(/[^\x20-\x7e]/g, escapeCharacter);
}

function escapeText(text: string): string {
  return text.replace(unsafe, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const short = shortEscapes.get(character);
  if (short !== undefined) return short;
  const code = character.charCodeAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
}
