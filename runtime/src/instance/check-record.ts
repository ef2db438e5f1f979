import type { SourceRecord } from "@pulsar-ts-io/core";
import { SourceContractError } from "./errors.ts";

/** What a source returns is a claim until it was looked at: it may be written in JavaScript. */
type Claimed = { readonly [member in keyof SourceRecord]?: unknown };

/**
 * Looks at what a source returned before anything of it is used: what fails in the middle of publishing tells nobody why.
 *
 * @throws SourceContractError (`PIO_SOURCE_CONTRACT`).
 */
export function checkRecord(record: unknown): void {
  if (typeof record !== "object" || record === null || !("value" in record)) {
    const what = record === null ? "null" : typeof record;
    throw new SourceContractError(`the source returned ${what} instead of a record`, {
      remedy: "report this to the author of the connector: read() waits until there is a record",
    });
  }
  const defect = defectOf(record);
  if (defect === undefined) return;
  throw new SourceContractError(`the source returned a record ${defect}`, {
    remedy: "report this to the author of the connector",
  });
}

function defectOf(record: Claimed): string | undefined {
  const { eventTime, properties, fail } = record;
  if (!(record.value instanceof Uint8Array)) return "whose value is not a Uint8Array";
  if (typeof record.ack !== "function") return "whose ack is not a function";
  if (fail !== undefined && typeof fail !== "function") return "whose fail is not a function";
  if (!isText(record.key)) return "whose key is not a string";
  if (!isText(record.destinationTopic)) return "whose destinationTopic is not a string";
  if (eventTime !== undefined && typeof eventTime !== "number") return "whose eventTime is not a number";
  return properties === undefined ? undefined : defectOfProperties(properties);
}

function defectOfProperties(properties: unknown): string | undefined {
  if (typeof properties !== "object" || properties === null) return "whose properties are not an object";
  const claimed = properties as Readonly<Record<string, unknown>>; // an object, as was seen just now
  for (const name in claimed) {
    if (typeof claimed[name] !== "string") return `whose property ${name} is not a string`;
  }
  return undefined;
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
