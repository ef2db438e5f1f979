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

/** Cuts a stream of bytes into frames. Holds at most one incomplete frame, in as many bytes as it has, however small its pieces. */
export class FrameDecoder {
  #maxFrameBytes = defaultMaxMessageBytes + frameAllowanceBytes;
  /** The length field of a frame of which not even that is complete. */
  readonly #length = Buffer.alloc(lengthBytes);
  #lengthHeld = 0;
  /** The frame that is not complete yet, without its length. */
  #body: Buffer | undefined;
  #bodyHeld = 0;

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
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#body !== undefined) {
        offset += this.#fillBody(this.#body, chunk, offset, onFrame);
      } else if (this.#lengthHeld > 0 || chunk.length - offset < lengthBytes) {
        offset += this.#fillLength(chunk, offset);
      } else {
        const start = offset + lengthBytes;
        const end = start + this.#checked(uint32At(chunk, offset));
        if (end > chunk.length) this.#expect(end - start);
        else onFrame(splitFrame(chunk.subarray(start, end)));
        offset = end > chunk.length ? start : end;
      }
    }
  }

  /** @returns how many bytes of `chunk` were taken. */
  #fillLength(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(lengthBytes - this.#lengthHeld, chunk.length - offset);
    this.#length.set(chunk.subarray(offset, offset + taken), this.#lengthHeld);
    this.#lengthHeld += taken;
    if (this.#lengthHeld === lengthBytes) {
      this.#lengthHeld = 0;
      this.#expect(this.#checked(uint32At(this.#length, 0)));
    }
    return taken;
  }

  /** @returns how many bytes of `chunk` were taken. */
  #fillBody(body: Buffer, chunk: Uint8Array, offset: number, onFrame: (frame: Frame) => void): number {
    const taken = Math.min(body.length - this.#bodyHeld, chunk.length - offset);
    body.set(chunk.subarray(offset, offset + taken), this.#bodyHeld);
    this.#bodyHeld += taken;
    if (this.#bodyHeld === body.length) {
      this.#body = undefined;
      onFrame(splitFrame(body));
    }
    return taken;
  }

  /** Room for a frame that has only begun; the system gives the memory as it is written. */
  #expect(bytes: number): void {
    this.#body = Buffer.allocUnsafeSlow(bytes);
    this.#bodyHeld = 0;
  }

  #checked(total: number): number {
    if (total >= lengthBytes && total <= this.#maxFrameBytes) return total;
    throw new RangeError(`a frame of ${total} bytes, where 4 to ${this.#maxFrameBytes} are allowed`);
  }
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
