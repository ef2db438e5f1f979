import { gunzipSync } from "node:zlib";
import { decode, Tagged } from "cborg";
import { encodeAsCbor, mapMembers, timeTag } from "./cbor-values.ts";
import { formType, query } from "./query-format.ts";
import type { ServiceError } from "./service-error.ts";
import type { WireFormat } from "./wire-format.ts";

/** What Kinesis speaks. */
const json: WireFormat = {
  contentType: "application/x-amz-json-1.1",
  records: "json",
  decode: (body) => (body.length === 0 ? {} : JSON.parse(body.toString())),
  encode: (pieces) => pieces,
  encodeError: (failure) => ({ status: failure.status, chunks: [jsonError(failure)] }),
};

/** What CloudWatch speaks. */
const json10: WireFormat = { ...json, contentType: "application/x-amz-json-1.0" };

/** What the AWS SDK for Java speaks with Kinesis; subscriptions are JSON there too. */
const cbor: WireFormat = {
  contentType: "application/x-amz-cbor-1.1",
  records: "cbor",
  decode: (body) => asJson(decode(body, { tags: Tagged.preserve(timeTag) })),
  encode: (pieces, operation) =>
    operation === "GetRecords" ? pieces : [encodeAsCbor(JSON.parse(Buffer.concat(pieces).toString()))],
  encodeError: (failure) => ({
    status: failure.status,
    chunks: [encodeAsCbor(JSON.parse(jsonError(failure).toString()))],
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

/** Bytes become base64 and times seconds. */
function asJson(value: unknown): unknown {
  if (value instanceof Tagged) return Number(value.value) / 1_000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  return mapMembers(value, (_, member) => asJson(member));
}
