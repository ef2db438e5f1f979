import { crc32 } from "node:zlib";

/** What a frame says it is; all headers are strings. */
export type FrameHeaders = Readonly<Record<string, string>>;

/** Total length, length of the headers, and the checksum of both. */
const preludeBytes = 12;
const checksumBytes = 4;
const stringType = 7;

/**
 * One message of an AWS event stream, the payload as it is: nothing is copied.
 *
 * @see https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export function eventFrame(headers: FrameHeaders, payload: readonly Uint8Array[]): readonly Uint8Array[] {
  const named = Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)));
  const payloadBytes = payload.reduce((sum, chunk) => sum + chunk.length, 0);
  const front = Buffer.alloc(preludeBytes + named.length);
  front.writeUInt32BE(front.length + payloadBytes + checksumBytes, 0);
  front.writeUInt32BE(named.length, 4);
  front.writeUInt32BE(crc32(front.subarray(0, 8)), 8);
  named.copy(front, preludeBytes);
  const checksum = Buffer.alloc(checksumBytes);
  checksum.writeUInt32BE(payload.reduce((sum, chunk) => crc32(chunk, sum), crc32(front)));
  return [front, ...payload, checksum];
}

/** The same frame with one bit wrong, so that its checksum tells. */
export function corrupted(frame: readonly Uint8Array[]): readonly Uint8Array[] {
  const whole = Buffer.concat(frame);
  const place = whole.length - checksumBytes - 1;
  whole.writeUInt8(whole.readUInt8(place) ^ 1, place);
  return [whole];
}

function header(name: string, value: string): Buffer {
  const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
  const lengths = Buffer.alloc(3);
  lengths.writeUInt8(stringType, 0);
  lengths.writeUInt16BE(valueBytes.length, 1);
  return Buffer.concat([Buffer.of(nameBytes.length), nameBytes, lengths, valueBytes]);
}
