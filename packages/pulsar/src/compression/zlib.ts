import { constants, deflateSync, inflateSync } from "node:zlib";
import { type Codec, copyIfFits } from "./codec.ts";

export const zlib: Codec = {
  name: "ZLIB",
  type: 2,
  compress: (payload, target) => copyIfFits(deflateSync(payload), target),
  // Java ends its stream with a sync flush and neither end mark nor checksum.
  decompress: (payload, size) =>
    inflateSync(payload, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.max(1, size) }),
};
