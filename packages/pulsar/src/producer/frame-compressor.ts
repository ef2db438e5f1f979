import { asBuffer, type Codec } from "../compression/codec.ts";
import { frameBuffers } from "../wire/frame-buffers.ts";

/** A payload that became smaller, in a buffer that is used again. */
export class CompressedPayload {
  /** Valid until {@link release}. */
  readonly bytes: Buffer;
  readonly #buffer: Buffer;

  constructor(buffer: Buffer, size: number) {
    this.#buffer = buffer;
    this.bytes = buffer.subarray(0, size);
  }

  /** Bytes of memory that it takes. */
  get heldBytes(): number {
    return this.#buffer.length;
  }

  /** Gives the buffer back. Once. */
  release(): void {
    frameBuffers.give(this.#buffer);
  }
}

/** @returns `undefined` when the payload does not become smaller. As it is it fits into limits that it would exceed otherwise. */
export function compressPayload(
  codec: Codec,
  pieces: readonly Uint8Array[],
  bytes: number,
): CompressedPayload | undefined {
  if (bytes < 2) return undefined;
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return compressWhole(codec, asBuffer(only));
  const gathered = frameBuffers.take(bytes);
  let offset = 0;
  for (const piece of pieces) {
    gathered.set(piece, offset);
    offset += piece.length;
  }
  const compressed = compressWhole(codec, gathered.subarray(0, bytes));
  frameBuffers.give(gathered);
  return compressed;
}

function compressWhole(codec: Codec, payload: Buffer): CompressedPayload | undefined {
  const room = frameBuffers.take(payload.length - 1);
  const size = codec.compress(payload, room.subarray(0, payload.length - 1));
  if (size === 0) {
    frameBuffers.give(room);
    return undefined;
  }
  const tight = size < room.length / 2 ? frameBuffers.take(size) : undefined;
  if (tight === undefined) return new CompressedPayload(room, size);
  // A payload that becomes much smaller must not hold the memory of a large one until it is confirmed.
  room.copy(tight, 0, 0, size);
  frameBuffers.give(room);
  return new CompressedPayload(tight, size);
}
