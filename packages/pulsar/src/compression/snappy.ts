import { createRequire } from "node:module";
import { asBuffer, type Codec, copyIfFits } from "./codec.ts";

let loaded: Codec | undefined;

/** One raw snappy block, not the framing format; `undefined` where the optional package snappy has no binary for this machine. */
export function snappy(): Codec | undefined {
  loaded ??= load();
  return loaded;
}

function load(): Codec | undefined {
  try {
    // The package's own type: what an optional dependency exports is known only once it is there.
    return codec(createRequire(import.meta.url)("snappy") as typeof import("snappy"));
  } catch {
    // Not installed, or no binary for this platform. A source that asks for SNAPPY gets an error.
    return undefined;
  }
}

function codec(native: typeof import("snappy")): Codec {
  return {
    name: "SNAPPY",
    type: 4,
    // Without this option the result stays in the library's own memory until the garbage collector finds it.
    compress: (payload, target) => copyIfFits(native.compressSync(payload, { copyOutputData: true }), target),
    decompress: (payload) => Buffer.from(native.uncompressSync(asBuffer(payload), { asBuffer: true })),
  };
}
