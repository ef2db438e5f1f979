import { createHash } from "node:crypto";

/** A user record before it is packed. */
export interface PlainRecord {
  readonly partitionKey: string;
  readonly explicitHashKey?: bigint | undefined;
  readonly data: Uint8Array;
}

/** Packs records as the Kinesis Producer Library does. */
export function aggregateOf(records: readonly PlainRecord[]): Buffer {
  const partitionKeys = [...new Set(records.map(({ partitionKey }) => partitionKey))];
  const hashKeys = [...new Set(records.flatMap(({ explicitHashKey }) => explicitHashKey ?? []))];
  return sealed(
    Buffer.concat([
      ...partitionKeys.map((key) => bytesField(1, Buffer.from(key))),
      ...hashKeys.map((key) => bytesField(2, Buffer.from(key.toString()))),
      ...records.map(({ partitionKey, explicitHashKey, data }) => {
        const fields = [numberField(1, partitionKeys.indexOf(partitionKey)), bytesField(3, data)];
        if (explicitHashKey !== undefined) fields.push(numberField(2, hashKeys.indexOf(explicitHashKey)));
        return bytesField(3, Buffer.concat(fields));
      }),
    ]),
  );
}

/** `message` between the magic and its MD5, whether it is one or not. */
export function sealed(message: Uint8Array): Buffer {
  const digest = createHash("md5").update(message).digest();
  return Buffer.concat([Buffer.from([0xf3, 0x89, 0x9a, 0xc2]), message, digest]);
}

function bytesField(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
