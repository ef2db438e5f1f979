import type { ProducedRecord } from "./contract-options.ts";

const keyCount = 5;

/**
 * Records that tell each other apart: number n says so in its value, and has key n modulo 5.
 *
 * @param word the beginning of each value: other records have another one.
 */
export function numberedRecords(count: number, word = "record"): readonly ProducedRecord[] {
  return Array.from({ length: count }, (_, number) => ({
    key: `key-${number % keyCount}`,
    value: new TextEncoder().encode(`${word}-${String(number).padStart(6, "0")}`),
  }));
}

export function textOf({ value }: { readonly value: Uint8Array }): string {
  return new TextDecoder().decode(value);
}

/** What of `produced` is not among `arrived`, as text. */
export function missing(
  produced: readonly { readonly value: Uint8Array }[],
  arrived: readonly { readonly value: Uint8Array }[],
): readonly string[] {
  const there = new Set(arrived.map(textOf));
  return produced.map(textOf).filter((text) => !there.has(text));
}

/** For messages of a failed test: the first few. */
export function some(texts: readonly string[]): string {
  const shown = texts.slice(0, 5).join(", ");
  return texts.length > 5 ? `${shown} and ${texts.length - 5} more` : shown;
}
