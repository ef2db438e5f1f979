import { isUtf8 } from "node:buffer";
import { MessageRefusedError } from "../errors.ts";
import type { MessageId, OutgoingMessage } from "../publisher.ts";
import type { NativeModule } from "./load-client.ts";

type NativeProducer = Awaited<ReturnType<InstanceType<NativeModule["Client"]>["createProducer"]>>;
export type NativeMessage = Parameters<NativeProducer["send"]>[0];

/**
 * The message as the binding takes it, which copies its bytes.
 *
 * @throws MessageRefusedError (`PIO_MESSAGE_REFUSED`) for what it would change without a word.
 */
export function nativeMessage(
  topic: string,
  message: OutgoingMessage,
  sequenceId: bigint | undefined,
): NativeMessage {
  const { value, key, properties, eventTime } = message;
  const orderingKey = orderingText(topic, message.orderingKey);
  if (key !== undefined && typeof key !== "string") throw refused(topic, "a key of bytes");
  const texts = [key, orderingKey, ...Object.entries(properties ?? {}).flat()];
  if (texts.some((text) => text?.includes("\0") === true))
    throw refused(topic, "the character U+0000 in a key or property");
  return {
    data: Buffer.from(value.buffer, value.byteOffset, value.length),
    ...(key === undefined ? {} : { partitionKey: key }),
    ...(orderingKey === undefined ? {} : { orderingKey }),
    ...(properties === undefined ? {} : { properties: { ...properties } }),
    ...(eventTime === undefined ? {} : { eventTimestamp: eventTime }),
    ...(sequenceId === undefined ? {} : { sequenceId: Number(sequenceId) }),
  };
}

function orderingText(topic: string, orderingKey: Uint8Array | undefined): string | undefined {
  if (orderingKey === undefined) return undefined;
  if (!isUtf8(orderingKey)) throw refused(topic, "an ordering key that is no UTF-8");
  return Buffer.from(orderingKey).toString();
}

function refused(topic: string, what: string): MessageRefusedError {
  return new MessageRefusedError(
    `a message to ${topic} has ${what}, which the native transport cannot carry`,
    {
      details: { topic },
      remedy: "use the wire transport (--pulsar-transport wire)",
    },
  );
}

/** `(ledger,entry,partition,batchIndex)`; of a chunked message two of them, of which the last counts. */
const idText = /\((?<ledger>-?\d+),(?<entry>-?\d+),(?<partition>-?\d+),(?<index>-?\d+)\)$/;

/** Where the broker stored it; `undefined` for what it had already, and when the binding writes ids in another way. */
export function parseMessageId(text: string): MessageId | undefined {
  const groups = idText.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const [ledger = "", entry = "", partition = "", index = ""] = ["ledger", "entry", "partition", "index"].map(
    (name) => groups[name],
  );
  if (entry === "-1") return undefined;
  return {
    ledgerId: BigInt(ledger),
    entryId: BigInt(entry),
    partition: Number(partition),
    batchIndex: Number(index),
  };
}
