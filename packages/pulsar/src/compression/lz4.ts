import { createRequire } from "node:module";
import { type Codec, copyIfFits } from "./codec.ts";

type Library = typeof import("lz4-wasm-nodejs");

/** The library puts the size before the block, as a 32-bit number; Pulsar has it in the metadata. */
const sizeBytes = 4;
/** How much one byte of a block can stand for: a length takes one for each 255. */
const mostExpansion = 255;
let loaded: Library | undefined;

/** One raw LZ4 block. */
export const lz4: Codec = {
  name: "LZ4",
  type: 1,
  compress: (payload, target) => copyIfFits(library().compress(payload).subarray(sizeBytes), target),
  decompress,
};

/** WebAssembly: a third of the CPU time of the same in JavaScript. Loaded, in two milliseconds, by the first who needs it. */
function library(): Library {
  loaded ??= createRequire(import.meta.url)("lz4-wasm-nodejs") as Library;
  return loaded;
}

/** @throws RangeError when the block is corrupt, or holds more or less than `size` bytes. */
function decompress(block: Uint8Array, size: number): Uint8Array {
  if (size > block.length * mostExpansion)
    throw new RangeError(`an LZ4 block of ${block.length} bytes cannot hold ${size}`);
  const sized = Buffer.allocUnsafe(sizeBytes + block.length);
  sized.writeUInt32LE(size);
  sized.set(block, sizeBytes);
  let plain: Uint8Array;
  try {
    plain = library().decompress(sized);
  } catch (error) {
    // The library throws texts.
    throw new RangeError(`an LZ4 block is corrupt: ${String(error)}`);
  }
  if (plain.length !== size) throw new RangeError(`an LZ4 block holds ${plain.length} bytes, not ${size}`);
  return plain;
}
