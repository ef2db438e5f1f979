import { systemClock } from "@pulsar-ts-io/core";
import { readMessages } from "@pulsar-ts-io/testkit";
import { keys } from "./soak-work.ts";

/** What came of the messages, as a reader saw it. */
export interface SoakVerdict {
  readonly arrived: number;
  readonly lost: number;
  /** The first hundred of the lost ones' numbers. */
  readonly lostNumbers: readonly number[];
  readonly repeated: number;
  /** After a later one of their key. */
  readonly outOfOrder: number;
}

/** What arrives is counted at once and forgotten: a byte for each message remains. */
export class SoakArrivals implements AsyncDisposable {
  readonly #seen: Uint8Array;
  readonly #lastOfKey = new Array<number>(keys).fill(-1);
  readonly #end = new AbortController();
  readonly #reading: Promise<void>;
  #arrived = 0;
  #different = 0;
  #outOfOrder = 0;
  #failure: unknown;

  /** Reads `topic` past the proxy, from the first message on. */
  constructor(serviceUrl: string, topic: string, expected: number) {
    this.#seen = new Uint8Array(expected);
    this.#reading = this.#read(serviceUrl, topic).catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#failure = error;
    });
  }

  /** Resolves when each message has arrived, or nothing has for half a minute. @throws what ended the reader. */
  async settled(): Promise<SoakVerdict> {
    for (let before = -1; before !== this.#arrived && this.#different < this.#seen.length; ) {
      before = this.#arrived;
      await this.#quiet();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return {
      arrived: this.#arrived,
      lost: this.#seen.length - this.#different,
      lostNumbers: this.#firstLost(100),
      repeated: this.#arrived - this.#different,
      outOfOrder: this.#outOfOrder,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#reading;
  }

  #firstLost(count: number): readonly number[] {
    const numbers: number[] = [];
    for (let from = 0; numbers.length < count; ) {
      const number = this.#seen.indexOf(0, from);
      if (number < 0) break;
      numbers.push(number);
      from = number + 1;
    }
    return numbers;
  }

  async #quiet(): Promise<void> {
    for (let second = 0; second < 30 && this.#different < this.#seen.length; second += 1)
      await systemClock.sleep(1_000, this.#end.signal);
  }

  async #read(serviceUrl: string, topic: string): Promise<void> {
    const messages = readMessages({ serviceUrl, topic, signal: this.#end.signal });
    for await (const { value } of messages) this.#take(Number(Buffer.from(value ?? []).readBigUInt64BE()));
  }

  #take(number: number): void {
    this.#arrived += 1;
    if (this.#seen[number] === 0) this.#different += 1;
    this.#seen[number] = 1;
    const key = number % keys;
    const last = this.#lastOfKey[key] ?? -1;
    if (number < last) this.#outOfOrder += 1;
    else this.#lastOfKey[key] = number;
  }
}
