import { createRequire } from "node:module";
import { asBuffer, type Codec, optionalPackage } from "./codec.ts";

/** Bytes that lz4-napi puts before a block: its size, little-endian. Pulsar's blocks have no such prefix. */
const prefixBytes = 4;
let loaded: Codec | undefined;

/** One raw LZ4 block; `undefined` where the optional package lz4-napi has no binary for this machine. */
export function lz4(): Codec | undefined {
  loaded ??= optionalPackage(load);
  return loaded;
}

function load(): Codec {
  // The package's own type: what an optional dependency exports is known only once it is there.
  const native = createRequire(import.meta.url)("lz4-napi") as typeof import("lz4-napi");
  return {
    name: "LZ4",
    type: 1,
    compress: (payload) => native.compressSync(asBuffer(payload)).subarray(prefixBytes),
    decompress: (payload, size) => {
      const prefix = Buffer.allocUnsafe(prefixBytes);
      prefix.writeUInt32LE(size, 0);
      return native.uncompressSync(Buffer.concat([prefix, payload]));
    },
  };
}
