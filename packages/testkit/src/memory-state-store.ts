import type { StateStore } from "@pulsar-ts-io/core";

/** A state store that lives as long as its test: it survives the sources that are started in it. */
export class MemoryStateStore implements StateStore {
  readonly #values = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#values.get(key));
  }

  put(key: string, value: Uint8Array): Promise<void> {
    this.#values.set(key, Uint8Array.from(value));
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.#values.delete(key);
    return Promise.resolve();
  }

  incrCounter(key: string, amount: bigint): Promise<void> {
    return this.put(key, bytesOf(counterOf(this.#values.get(key)) + amount));
  }

  getCounter(key: string): Promise<bigint> {
    return Promise.resolve(counterOf(this.#values.get(key)));
  }
}

/** As Pulsar keeps counters: 64 bits, big endian. */
function bytesOf(counter: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(counter);
  return bytes;
}

function counterOf(bytes: Uint8Array | undefined): bigint {
  return bytes === undefined ? 0n : Buffer.from(bytes).readBigInt64BE();
}
