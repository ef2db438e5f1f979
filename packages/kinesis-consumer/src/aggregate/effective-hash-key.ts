import { hash } from "node:crypto";

/** The hash key that Kinesis would place a record by: the MD5 of its partition key. */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${hash("md5", partitionKey, "hex")}`);
}

/** An explicit hash key, or `undefined` when it is no number. As in Java it may have a sign. */
export function parseHashKey(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  return text.startsWith("+") ? BigInt(text.slice(1)) : BigInt(text);
}
