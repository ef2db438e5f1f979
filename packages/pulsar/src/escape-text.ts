/** C0, DEL and C1, line and paragraph separators, and the marks that turn the direction of text. */
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Bytes that are escaped at a time. */
const blockBytes = 16_384;
/** One byte becomes four at most. A character that crosses the end of a block belongs to it. */
const scratch = Buffer.allocUnsafeSlow(4 * (blockBytes + 4));

const backslash = 0x5c;
const digits = Buffer.from("0123456789abcdef");
/** The letter of a byte's short escape; 0: it has none. */
const letters = new Uint8Array(256);
letters[0x0a] = 0x6e; // \n
letters[0x0d] = 0x72; // \r
letters[0x09] = 0x74; // \t

/** `text` without characters that a terminal obeys, or that look like another line. */
export function escapeText(text: string): string {
  return unsafe.test(text) ? escapeBlocks(Buffer.from(text), escapeUtf8) : text;
}

/** Bytes of an unknown encoding: printable ASCII, and escapes for everything else. */
export function escapeBytes(bytes: Buffer): string {
  return escapeBlocks(bytes, escapeUnknown);
}

/** Writes bytes of `source` from `start` to `end` to the scratch. @returns the bytes written. */
type Escape = (source: Buffer, start: number, end: number) => number;

/** A function call and a string for each byte would cost 100 ns: binary records are megabytes. */
function escapeBlocks(source: Buffer, escapeBlock: Escape): string {
  let text = "";
  for (let start = 0; start < source.length; ) {
    const end = blockEnd(source, start);
    text += scratch.toString("utf8", 0, escapeBlock(source, start, end));
    start = end;
  }
  return text;
}

/** Behind the last byte of a character. Of bytes that are no text three more are taken at most. */
function blockEnd(source: Buffer, start: number): number {
  const least = Math.min(start + blockBytes, source.length);
  let end = least;
  while (end < source.length && end < least + 3 && ((source[end] ?? 0) & 0xc0) === 0x80) end += 1;
  return end;
}

function escapeUnknown(source: Buffer, start: number, end: number): number {
  let out = 0;
  for (let at = start; at < end; at += 1) out = writeByte(source[at] ?? 0, out);
  return out;
}

function escapeUtf8(source: Buffer, start: number, end: number): number {
  let out = 0;
  for (let at = start; at < end; at += 1) {
    const byte = source[at] ?? 0;
    const second = source[at + 1] ?? 0;
    if (byte < 0x80) out = writeByte(byte, out);
    else if (byte === 0xc2 && second < 0xa0) {
      out = writeByte(second, out);
      at += 1;
    } else if (byte === 0xe2 && isUnsafeMark(second, source[at + 2] ?? 0)) {
      const low = ((second & 3) << 6) | ((source[at + 2] ?? 0) & 0x3f);
      out += scratch.write(`\\u20${low.toString(16).padStart(2, "0")}`, out, "latin1");
      at += 2;
    } else {
      scratch[out] = byte;
      out += 1;
    }
  }
  return out;
}

/** Of U+2000 to U+20FF, whose first byte in UTF-8 is e2. */
function isUnsafeMark(second: number, third: number): boolean {
  if (second === 0x80) return third === 0x8e || third === 0x8f || (third >= 0xa8 && third <= 0xae);
  return second === 0x81 && third >= 0xa6 && third <= 0xa9;
}

function writeByte(byte: number, out: number): number {
  if (byte >= 0x20 && byte <= 0x7e) {
    scratch[out] = byte;
    return out + 1;
  }
  scratch[out] = backslash;
  const letter = letters[byte] ?? 0;
  if (letter !== 0) {
    scratch[out + 1] = letter;
    return out + 2;
  }
  scratch[out + 1] = 0x78; // x
  scratch[out + 2] = digits[byte >>> 4] ?? 0;
  scratch[out + 3] = digits[byte & 0x0f] ?? 0;
  return out + 4;
}
