import { type Codec, copyIfFits } from "./codec.ts";

/** As Java compresses. Its window is 2 MiB at most, whatever the payload: Java's decoder takes 8 MiB. */
const level = 3;
let loaded: Promise<Codec> | undefined;
let ready: Codec | undefined;

/** One zstd frame. WebAssembly, which takes 50 ms to load the first time: Node has no zstd before version 22. */
export function loadZstd(): Promise<Codec> {
  loaded ??= load();
  return loaded;
}

/** What {@link loadZstd} has loaded. */
export function loadedZstd(): Codec | undefined {
  return ready;
}

async function load(): Promise<Codec> {
  const { Zstd } = await import("@hpcc-js/wasm-zstd");
  const library = await Zstd.load();
  ready = {
    name: "ZSTD",
    type: 3,
    compress: (payload, target) => copyIfFits(library.compress(payload, level), target),
    decompress: (payload) => library.decompress(payload),
  };
  return ready;
}
