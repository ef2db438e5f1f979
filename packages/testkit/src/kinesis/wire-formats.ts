import { gunzipSync } from "node:zlib";
import { decode, encode, Tagged } from "cborg";
import { formType, query } from "./query-format.ts";
import type { ServiceError } from "./service-error.ts";
import type { WireFormat } from "./wire-format.ts";

/** What Kinesis speaks. */
const json: WireFormat = {
  contentType: "application/x-amz-json-1.1",
  decode: (body) => (body.length === 0 ? {} : JSON.parse(body.toString())),
  encode: (pieces) => pieces,
  encodeError: (failure) => ({ status: failure.status, chunks: [jsonError(failure)] }),
};

/** What CloudWatch speaks. */
const json10: WireFormat = { ...json, contentType: "application/x-amz-json-1.0" };

/** What the AWS SDK for Java speaks with Kinesis; subscriptions are JSON there too. */
const cbor: WireFormat = {
  contentType: "application/x-amz-cbor-1.1",
  decode: (body) => asJson(decode(body, { tags: Tagged.preserve(timeTag) })),
  encode: (pieces) => [encode(asCbor(JSON.parse(Buffer.concat(pieces).toString())))],
  encodeError: (failure) => ({
    status: failure.status,
    chunks: [encode(JSON.parse(jsonError(failure).toString()))],
  }),
};

/** JSON 1.1, unless the request says otherwise. */
export function wireFormat(contentType: string | undefined): WireFormat {
  if (contentType === json10.contentType) return json10;
  if (contentType === cbor.contentType) return cbor;
  return contentType?.startsWith(formType) === true ? query : json;
}

/** What is asked, as JSON has it; `undefined` when it cannot be read. */
export function decodeRequest(format: WireFormat, body: Buffer, encoding: string | undefined): unknown {
  try {
    return format.decode(encoding === "gzip" ? gunzipSync(body) : body);
  } catch {
    return undefined;
  }
}

function jsonError({ awsName, message }: ServiceError): Buffer {
  return Buffer.from(JSON.stringify({ __type: awsName, message }));
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
