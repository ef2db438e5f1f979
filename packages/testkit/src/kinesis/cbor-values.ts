import { encode, Tagged } from "cborg";

/** The tag for a time; its value is milliseconds here, against the standard's seconds. */
export const timeTag = 1;

/** Encodes a JSON value as CBOR. The name of a member decides which texts are bytes and which numbers are times. */
export function encodeAsCbor(value: unknown, name = ""): Uint8Array {
  return encode(asCbor(value, name));
}

function asCbor(value: unknown, name: string): unknown {
  if (name === "Data" && typeof value === "string") return Buffer.from(value, "base64");
  if (name.endsWith("Timestamp") && typeof value === "number") {
    return new Tagged(timeTag, Math.round(value * 1_000));
  }
  return mapMembers(value, (memberName, member) => asCbor(member, memberName));
}

/** Members and elements, each as `map` has it. */
export function mapMembers(value: unknown, map: (name: string, member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => map("", member));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(name, member)]));
}
