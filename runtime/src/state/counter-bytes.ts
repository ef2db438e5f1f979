import { StateStoreError } from "./state-errors.ts";

const counterLength = 8;
const least = -(2n ** 63n);
const most = 2n ** 63n - 1n;

/** A counter as Pulsar's state stores keep it: 64 bits, big endian. */
export function counterBytes(key: string, value: bigint): Uint8Array {
  if (value < least || value > most) {
    throw new StateStoreError(`the counter ${key} would leave the range of 64 bits`, {
      remedy: "delete the counter, or count in another unit",
    });
  }
  const bytes = new Uint8Array(counterLength);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}

/** 0 where there is none. @throws StateStoreError (`PIO_STATE_STORE`) for what is no counter. */
export function counterValue(key: string, bytes: Uint8Array | undefined): bigint {
  if (bytes === undefined) return 0n;
  if (bytes.byteLength === counterLength) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0);
  }
  throw new StateStoreError(`the state ${key} is no counter: it has ${bytes.byteLength} bytes`, {
    remedy: "use another key for the counter",
  });
}
