import { decode, encode, Tagged } from "cborg";

/** How requests and answers are written. */
export interface WireFormat {
  readonly contentType: string;
  /** As JSON has it; `undefined` when it cannot be read. */
  decode(body: Buffer): unknown;
  /** @param json in pieces. */
  encode(json: readonly Uint8Array[]): readonly Uint8Array[];
}

const json: WireFormat = {
  contentType: "application/x-amz-json-1.1",
  decode: (body) => unlessBroken(() => (body.length === 0 ? {} : JSON.parse(body.toString()))),
  encode: (pieces) => pieces,
};

/** What the AWS SDK for Java speaks with Kinesis; subscriptions are JSON there too. */
const cbor: WireFormat = {
  contentType: "application/x-amz-cbor-1.1",
  decode: (body) => unlessBroken(() => asJson(decode(body, { tags: Tagged.preserve(timeTag) }))),
  encode: (pieces) => [encode(asCbor(JSON.parse(Buffer.concat(pieces).toString())))],
};

/** JSON, unless the request says otherwise. */
export function wireFormat(contentType: string | undefined): WireFormat {
  return contentType === cbor.contentType ? cbor : json;
}

function unlessBroken(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The tag for a time; its value is milliseconds here, against the standard's seconds. */
const timeTag = 1;

/** Bytes become base64 and times seconds. */
function asJson(value: unknown): unknown {
  if (value instanceof Tagged) return Number(value.value) / 1_000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return mapMembers(value, (_, member) => asJson(member));
}

/** The other way round: only the name of a member tells what it is. */
function asCbor(value: unknown, name = ""): unknown {
  if (name === "Data" && typeof value === "string") return Buffer.from(value, "base64");
  if (name.endsWith("Timestamp") && typeof value === "number") {
    return new Tagged(timeTag, Math.round(value * 1_000));
  }
  return mapMembers(value, (memberName, member) => asCbor(member, memberName));
}

function mapMembers(value: unknown, map: (name: string, member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => map("", member));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(name, member)]));
}
