import { createRequire } from "node:module";
import { asBuffer, type Codec, optionalPackage } from "./codec.ts";

let loaded: Codec | undefined;

/** One raw snappy block, not the framing format; `undefined` where the optional package snappy has no binary for this machine. */
export function snappy(): Codec | undefined {
  loaded ??= optionalPackage(load);
  return loaded;
}

function load(): Codec {
  // The package's own type: what an optional dependency exports is known only once it is there.
  const native = createRequire(import.meta.url)("snappy") as typeof import("snappy");
  return {
    name: "SNAPPY",
    type: 4,
    compress: (payload) => native.compressSync(asBuffer(payload)),
    decompress: (payload) => Buffer.from(native.uncompressSync(asBuffer(payload), { asBuffer: true })),
  };
}
