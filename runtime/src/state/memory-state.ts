import type { StateStore } from "@pulsar-ts-io/core";
import { counterBytes, counterValue } from "./counter-bytes.ts";

/** Keeps state as long as the process lives: over restarts of the source in it, and no longer. */
export class MemoryState implements StateStore {
  readonly #values = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    const value = this.#values.get(key);
    return Promise.resolve(value === undefined ? undefined : value.slice());
  }

  put(key: string, value: Uint8Array): Promise<void> {
    this.#values.set(key, value.slice());
    return Promise.resolve();
  }

  delete(key: string): Promise<void> {
    this.#values.delete(key);
    return Promise.resolve();
  }

  async incrCounter(key: string, amount: bigint): Promise<void> {
    const sum = counterValue(key, this.#values.get(key)) + amount;
    await this.put(key, counterBytes(key, sum));
  }

  async getCounter(key: string): Promise<bigint> {
    return counterValue(key, await this.get(key));
  }
}
