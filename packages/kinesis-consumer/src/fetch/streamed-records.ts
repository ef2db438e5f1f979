import { decodeBase64 } from "./decode-base64.ts";

/** `"Data"`, the member whose value is nearly all of an answer. */
const dataName = Buffer.from('"Data"');
/** What a `"Data"`, the white space after it and the quote of its value may take; longer ones are left in the text. */
const longestNameBytes = 16;
const quote = 0x22;
const colon = 0x3a;
const firstTextBytes = 4_096;

/**
 * Takes an answer with records apart while it arrives: payloads are decoded at once, and only the JSON around them is kept.
 *
 * The whole body, its text and the base64 texts in it would take five times the memory of the payloads, for each answer in
 * flight. In the JSON that is kept, `~` and a number stand for each payload.
 */
export class StreamedRecords {
  #text = Buffer.allocUnsafe(firstTextBytes);
  #textBytes = 0;
  readonly #payloads: (Buffer | string)[] = [];
  /** Where in the text the stand-in of each payload begins. */
  readonly #places: number[] = [];
  /** Pieces of the payload that has begun; `undefined` outside of one. */
  #pieces: Uint8Array[] | undefined;
  /** The end of the last chunk, where a name may have begun. */
  #rest: Buffer = Buffer.alloc(0);
  /** Whether every payload was padded base64. */
  #plain = true;

  /** Whether every payload so far is base64 as the service writes it. If not, {@link whole} is for the SDK to judge. */
  get plain(): boolean {
    return this.#plain;
  }

  push(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const chunk = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = chunk.subarray(chunk.length);
    let at = 0;
    while (at < chunk.length)
      at = this.#pieces === undefined ? this.#takeText(chunk, at) : this.#takePayload(chunk, at);
  }

  /** To be called once, after the last {@link push}. @returns the JSON without the payloads. */
  end(): string {
    this.#keep(this.#rest);
    this.#rest = this.#rest.subarray(this.#rest.length);
    return this.#text.toString("utf8", 0, this.#textBytes);
  }

  /** The payload that `text` stands for. */
  payload(text: string): Buffer | undefined {
    if (text.charCodeAt(0) !== standIn) return undefined;
    const payload = this.#payloads[Number(text.slice(1))];
    return typeof payload === "string" ? undefined : payload;
  }

  /** The body as it was, after {@link end}. */
  whole(): Buffer {
    const parts: Buffer[] = [];
    let from = 0;
    for (const [index, place] of this.#places.entries()) {
      parts.push(this.#text.subarray(from, place));
      const payload = this.#payloads[index] ?? "";
      parts.push(Buffer.from(typeof payload === "string" ? payload : payload.toString("base64"), "latin1"));
      from = place + reference(index).length;
    }
    parts.push(this.#text.subarray(from, this.#textBytes));
    for (const piece of this.#pieces ?? []) parts.push(Buffer.from(piece));
    return Buffer.concat(parts);
  }

  /** Keeps JSON up to the next payload. @returns where to go on. */
  #takeText(chunk: Buffer, from: number): number {
    const name = chunk.indexOf(dataName, from);
    if (name < 0) {
      // A name may begin in the last bytes of the chunk.
      const last = chunk.lastIndexOf(quote);
      const end = last >= from && last > chunk.length - dataName.length ? last : chunk.length;
      this.#keep(chunk.subarray(from, end));
      this.#rest = chunk.subarray(end);
      return chunk.length;
    }
    const value = textBehind(chunk, name);
    if (value === undefined && chunk.length - name < longestNameBytes) {
      this.#keep(chunk.subarray(from, name));
      this.#rest = chunk.subarray(name);
      return chunk.length;
    }
    if (value === undefined || !beginsMember(this.#before(chunk, name))) {
      const end = name + dataName.length;
      this.#keep(chunk.subarray(from, end));
      return end;
    }
    this.#keep(chunk.subarray(from, value));
    this.#pieces = [];
    return value;
  }

  /** The byte before `at`. */
  #before(chunk: Buffer, at: number): number {
    return (at > 0 ? chunk[at - 1] : this.#text[this.#textBytes - 1]) ?? 0;
  }

  /** Takes base64 up to the quote that ends it. @returns where to go on. */
  #takePayload(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(quote, from);
    const pieces = this.#pieces ?? [];
    pieces.push(chunk.subarray(from, end < 0 ? chunk.length : end));
    if (end < 0) return chunk.length;
    this.#pieces = undefined;
    const payload = decodeBase64(pieces);
    if (payload === undefined) this.#plain = false;
    this.#places.push(this.#textBytes);
    this.#keep(reference(this.#payloads.length));
    this.#payloads.push(payload ?? Buffer.concat(pieces).toString("latin1"));
    return end;
  }

  #keep(bytes: Buffer): void {
    const needed = this.#textBytes + bytes.length;
    if (needed > this.#text.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#text.length * 2));
      this.#text.copy(grown, 0, 0, this.#textBytes);
      this.#text = grown;
    }
    bytes.copy(this.#text, this.#textBytes);
    this.#textBytes = needed;
  }
}

const standIn = 0x7e; // "~", which base64 does not have

function reference(index: number): Buffer {
  return Buffer.from(`~${index}`, "latin1");
}

/** Where the text begins that is the value of the name at `name`; `undefined`: it is no name, no text, or not all there. */
function textBehind(chunk: Buffer, name: number): number | undefined {
  const afterName = skipSpace(chunk, name + dataName.length);
  if (chunk[afterName] !== colon) return undefined;
  const value = skipSpace(chunk, afterName + 1);
  return chunk[value] === quote ? value + 1 : undefined;
}

function skipSpace(chunk: Buffer, from: number): number {
  let at = from;
  while (isSpace(chunk[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a name may stand behind `before`: behind a backslash the quote belongs to a text. */
function beginsMember(before: number): boolean {
  return before === 0x7b || before === 0x2c || isSpace(before);
}
