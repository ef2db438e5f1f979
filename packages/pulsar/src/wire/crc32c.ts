import { createRequire } from "node:module";

/** CRC-32C (Castagnoli) of `bytes`; `previous` is the checksum of what came before them, 0 at the start. */
export type Crc32c = (bytes: Uint8Array, previous: number) => number;

/** The polynomial 0x1EDC6F41, bit-reversed. */
const polynomial = 0x82f63b78;

const table: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
});

/** Needs no native code; about 3 µs for a KiB. */
export const portableCrc32c: Crc32c = (bytes, previous) => {
  let crc = ~previous;
  for (let index = 0; index < bytes.length; index += 1) {
    // Both indexes are inside their arrays.
    crc = (table[(crc ^ (bytes[index] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
};

/** The native implementation where `@node-rs/crc32` is installed and has a binary for this machine, else the portable one. */
export const crc32c: Crc32c = loadNative() ?? portableCrc32c;

function loadNative(): Crc32c | undefined {
  try {
    // The package's own type: what an optional dependency exports is known only once it is there.
    const native = createRequire(import.meta.url)("@node-rs/crc32") as typeof import("@node-rs/crc32");
    return (bytes, previous) => native.crc32c(bytes, previous);
  } catch {
    // Optional: not installed, or no binary for this platform. The portable one gives the same result.
    return undefined;
  }
}
