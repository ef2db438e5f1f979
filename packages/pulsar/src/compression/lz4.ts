import type { Codec } from "./codec.ts";
import { compressBlock, decompressBlock } from "./lz4-block.ts";

/** One raw LZ4 block. The metadata states the size, so nothing stands before it. */
export const lz4: Codec = {
  name: "LZ4",
  type: 1,
  compress: compressBlock,
  decompress: decompressBlock,
};
