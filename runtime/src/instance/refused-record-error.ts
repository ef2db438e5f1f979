import { ConnectorError, remedyOf, type SourceRecord } from "@pulsar-ts-io/core";

const longestKey = 100;

/** Pulsar refused one record for good. Keeps the code of the refusal, and names the record and the ways out. */
export class RefusedRecordError extends ConnectorError {
  readonly code: string;
  readonly retryable = false;

  constructor(cause: ConnectorError, record: SourceRecord) {
    const remedy = remedyOf(cause);
    super(`the record ${describeRecord(record)} was refused: ${cause.message}`, {
      cause,
      details: cause.details,
      remedy: `${remedy === undefined ? "" : `${remedy}; or `}pass such records over with --on-refused skip, keep them with --on-refused dead-letter, or change compressionType or the batches in --producer-config`,
    });
    this.code = cause.code;
  }
}

/** Where the record comes from and what it is, without its payload. */
function describeRecord({ partitionId, recordSequence, key, value }: SourceRecord): string {
  const parts = [
    partitionId === undefined ? undefined : `partition ${partitionId}`,
    recordSequence === undefined ? undefined : `sequence ${recordSequence}`,
    key === undefined ? "without a key" : `key ${JSON.stringify(shortened(key))}`,
    `${value.byteLength} bytes`,
  ];
  return `(${parts.filter((part) => part !== undefined).join(", ")})`;
}

function shortened(key: string): string {
  return key.length > longestKey ? `${key.slice(0, longestKey)}…` : key;
}
