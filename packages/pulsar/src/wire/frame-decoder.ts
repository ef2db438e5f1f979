/** What a frame may have beyond `max_message_size`, for its command and metadata: the broker's own allowance. */
export const frameAllowanceBytes = 10_240;
/** The broker's largest message until CONNECTED says otherwise. */
export const defaultMaxMessageBytes: number = 5 * 1024 * 1024;

/** One frame as it came: views of the bytes received, valid until the handler returns. */
export interface Frame {
  readonly command: Uint8Array;
  /** What follows the command: the checksum, metadata and payload of a MESSAGE; empty for everything else. */
  readonly rest: Uint8Array;
}

const lengthBytes = 4;

/** Cuts a stream of bytes into frames. Holds at most one incomplete frame. */
export class FrameDecoder {
  #maxFrameBytes = defaultMaxMessageBytes + frameAllowanceBytes;
  /** Pieces of the frame that is not complete yet. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;

  /** @param bytes the broker's `max_message_size`. */
  limitMessages(bytes: number): void {
    this.#maxFrameBytes = bytes + frameAllowanceBytes;
  }

  /**
   * Takes what arrived and hands over the frames it completes, in order.
   *
   * @throws RangeError at a frame that is too long or inconsistent: the stream cannot be understood any further.
   */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let input = chunk;
    if (this.#pieceBytes > 0) {
      this.#pieces.push(chunk);
      this.#pieceBytes += chunk.length;
      if (this.#pieceBytes < this.#wanted()) return;
      input = Buffer.concat(this.#pieces, this.#pieceBytes);
      this.#pieces = [];
      this.#pieceBytes = 0;
    }
    let offset = 0;
    for (;;) {
      const size = frameSize(input, offset, this.#maxFrameBytes);
      if (size === undefined || size > input.length - offset) break;
      onFrame(splitFrame(input.subarray(offset + lengthBytes, offset + size)));
      offset += size;
    }
    if (offset < input.length) {
      this.#pieces.push(offset === 0 ? input : input.subarray(offset));
      this.#pieceBytes = input.length - offset;
    }
  }

  /** Bytes that must be there before it is worth joining the pieces. */
  #wanted(): number {
    const first = this.#pieces[0];
    if (first === undefined || first.length < lengthBytes) return lengthBytes;
    return frameSize(first, 0, this.#maxFrameBytes) ?? lengthBytes;
  }
}

/** Bytes of the frame that starts at `offset`, its length field included; `undefined` when that is not there yet. */
function frameSize(bytes: Uint8Array, offset: number, maxFrameBytes: number): number | undefined {
  if (bytes.length - offset < lengthBytes) return undefined;
  const total = uint32At(bytes, offset);
  if (total < lengthBytes || total > maxFrameBytes) {
    throw new RangeError(`a frame of ${total} bytes, where 4 to ${maxFrameBytes} are allowed`);
  }
  return total + lengthBytes;
}

function splitFrame(body: Uint8Array): Frame {
  const commandBytes = uint32At(body, 0);
  if (commandBytes > body.length - lengthBytes) {
    throw new RangeError(`a command of ${commandBytes} bytes in a frame of ${body.length}`);
  }
  const end = lengthBytes + commandBytes;
  return { command: body.subarray(lengthBytes, end), rest: body.subarray(end) };
}

function uint32At(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset);
}
