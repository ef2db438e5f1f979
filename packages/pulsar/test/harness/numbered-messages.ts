import type { MessageId, Publisher } from "../../src/index.ts";
import type { Deliveries } from "./recorded-delivery.ts";
import { never } from "./wire.ts";

export const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** Its number as text, and one of seven keys. */
export const numbered = (index: number): { readonly value: Buffer; readonly key: string } => ({
  value: Buffer.from(String(index)),
  key: `key-${index % 7}`,
});

/** Sends the numbers from `from` up to `to` as fast as the window allows, under sequence ids of their own if so told. */
export async function sendRange(
  publisher: Publisher,
  deliveries: Deliveries,
  { from, to, withIds = false }: { readonly from: number; readonly to: number; readonly withIds?: boolean },
): Promise<void> {
  for (let index = from; index < to; index += 1) {
    if (publisher.full) await publisher.room(never);
    deliveries.send(publisher, numbered(index), withIds ? BigInt(index) : undefined);
  }
}

/** The numbers that were read. */
export function numbersOf(
  messages: readonly { readonly value: Uint8Array | undefined }[],
): readonly number[] {
  return messages.map((message) => Number(Buffer.from(message.value ?? []).toString()));
}

/** As Java's client writes it. */
export function idText(id: MessageId): string {
  const { ledgerId, entryId, partition, batchIndex } = id;
  return [ledgerId, entryId, partition, ...(batchIndex < 0 ? [] : [batchIndex])].join(":");
}
