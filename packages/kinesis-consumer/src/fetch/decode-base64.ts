/** Below that Node's own pool lends the memory. */
const smallestOwnBytes = 4_096;
/** Base64 that is decoded at a time, so that its texts stay small. */
const stepBytes = 49_152;

/**
 * Decodes base64 that came in pieces.
 *
 * @returns `undefined` when the pieces together are not what the payload would be encoded to: padded base64 of the standard alphabet,
 * with zeros in the bits that the padding leaves over.
 */
export function decodeBase64(pieces: readonly Uint8Array[]): Buffer | undefined {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  if (length % 4 !== 0) return undefined;
  return length < smallestOwnBytes ? decodeSmall(pieces) : decodeLarge(pieces, length);
}

function decodeSmall(pieces: readonly Uint8Array[]): Buffer | undefined {
  const [only] = pieces;
  const text = (pieces.length === 1 && only !== undefined ? asBuffer(only) : Buffer.concat(pieces)).toString(
    "latin1",
  );
  const payload = Buffer.from(text, "base64");
  const isWhole = payload.length === decodedLength(text) && endsWithZeros(text.slice(-4));
  return isStandard(text) && isWhole ? payload : undefined;
}

/** Without a copy of the pieces: each is decoded to its place. */
function decodeLarge(pieces: readonly Uint8Array[], length: number): Buffer | undefined {
  const payload = Buffer.allocUnsafeSlow((length / 4) * 3 - padding(lastTwo(pieces)));
  let written = 0;
  let carry = ""; // a group of four that the pieces cut apart
  let last = "";
  for (const piece of pieces) {
    const bytes = asBuffer(piece);
    for (let at = 0; at < bytes.length; at += stepBytes) {
      const text = carry + bytes.toString("latin1", at, Math.min(at + stepBytes, bytes.length));
      const usable = text.length - (text.length % 4);
      const groups = text.slice(0, usable);
      carry = text.slice(usable);
      const count = payload.write(groups, written, "base64");
      if (count !== decodedLength(groups) || !isStandard(groups)) return undefined;
      written += count;
      if (usable > 0) last = groups.slice(-4);
    }
  }
  return written === payload.length && endsWithZeros(last) ? payload : undefined;
}

/** Node skips what is no base64, which the length shows, and takes the two letters of base64url. */
function isStandard(text: string): boolean {
  return !(text.includes("-") || text.includes("_"));
}

/** Whether the bits that padding leaves over are zeros, as every encoder writes them. @param group the last four characters. */
function endsWithZeros(group: string): boolean {
  return !group.endsWith("=") || Buffer.from(group, "base64").toString("base64") === group;
}

/** @param text whole groups of four. */
function decodedLength(text: string): number {
  return (text.length / 4) * 3 - padding(text);
}

function padding(text: string): number {
  return text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
}

function lastTwo(pieces: readonly Uint8Array[]): string {
  let text = "";
  for (let index = pieces.length - 1; index >= 0 && text.length < 2; index -= 1) {
    const piece = pieces[index];
    if (piece !== undefined) text = asBuffer(piece).toString("latin1", Math.max(0, piece.length - 2)) + text;
  }
  return text.slice(-2);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
