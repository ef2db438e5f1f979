const c1 = 0xcc9e2d51;
const c2 = 0x1b873593;

/** MurmurHash3, 32 bits, x86, seed 0, as a signed integer: the hash that Pulsar IO routes keys by. */
export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tailAt = bytes.length & ~3;
  let hash = 0;
  for (let offset = 0; offset < tailAt; offset += 4) {
    hash ^= mix(view.getInt32(offset, true));
    hash = Math.imul(rotate(hash, 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let offset = bytes.length - 1; offset >= tailAt; offset -= 1)
    tail = (tail << 8) | view.getUint8(offset);
  hash ^= mix(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(block: number): number {
  return Math.imul(rotate(Math.imul(block, c1), 15), c2);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
