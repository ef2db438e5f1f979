import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { codeOf, type StateStore, toError } from "@pulsar-ts-io/core";
import { counterBytes, counterValue } from "./counter-bytes.ts";
import { StateStoreError } from "./state-errors.ts";

/**
 * Keeps the state of one source in a directory, one file for each key.
 *
 * A value is there whole, or as it was before: it is written beside its place, forced to the disk, and then put there. Calls for
 * one key take effect in their order. Instances of one source share it when they share the disk; then a counter that two of them
 * increment at the same time may lose one of the increments.
 */
export class FileState implements StateStore {
  readonly #directory: string;
  /** The last call for each key that is busy. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#inTurn(key, () => this.#read(key));
  }

  put(key: string, value: Uint8Array): Promise<void> {
    const copy = value.slice();
    return this.#inTurn(key, () => this.#write(key, copy));
  }

  delete(key: string): Promise<void> {
    return this.#inTurn(key, () =>
      this.#guarded(key, async () => {
        await rm(this.#pathOf(key), { force: true });
        await this.#syncDirectory();
      }),
    );
  }

  incrCounter(key: string, amount: bigint): Promise<void> {
    return this.#inTurn(key, async () => {
      const sum = counterValue(key, await this.#read(key)) + amount;
      await this.#write(key, counterBytes(key, sum));
    });
  }

  async getCounter(key: string): Promise<bigint> {
    return counterValue(key, await this.get(key));
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    return await this.#guarded(key, async () => {
      try {
        return new Uint8Array(await readFile(this.#pathOf(key)));
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        throw error;
      }
    });
  }

  async #write(key: string, value: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    const beside = `${path}.${process.pid}.new`;
    await this.#guarded(key, async () => {
      await mkdir(dirname(path), { recursive: true });
      try {
        await writeThrough(beside, value);
        await rename(beside, path);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
      await this.#syncDirectory();
    });
  }

  /** Only then a new name, or its end, outlives a loss of power. */
  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#directory, "r").catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
    try {
      await directory?.sync();
    } finally {
      await directory?.close();
    }
  }

  /** Any key makes one file name; different keys make different ones, on disks that do not tell cases apart, too. */
  #pathOf(key: string): string {
    return join(this.#directory, `${Buffer.from(key, "utf8").toString("hex")}.state`);
  }

  async #guarded<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new StateStoreError(
        `the state ${key} cannot be kept in ${this.#directory}: ${toError(cause).message}`,
        {
          cause,
          remedy: remedyFor(codeOf(cause)),
        },
      );
    }
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#busy.set(key, mine);
    const done = () => {
      if (this.#busy.get(key) === mine) this.#busy.delete(key);
    };
    mine.then(done, done);
    return mine;
  }
}

async function writeThrough(path: string, value: Uint8Array): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(value);
    await file.sync();
  } finally {
    await file.close();
  }
}

function remedyFor(code: string | undefined): string {
  if (code === "ENOSPC" || code === "EDQUOT")
    return "make room on the disk; what was stored before is as it was";
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return "give this user the right to write there";
  if (code === "ENAMETOOLONG") return "use a shorter key: 100 characters are always possible";
  return "look at the directory and its file system";
}
