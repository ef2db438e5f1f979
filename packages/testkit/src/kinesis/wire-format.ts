import type { ServiceError } from "./service-error.ts";

/** How requests and answers are written. */
export interface WireFormat {
  /** How records are to be answered, so that {@link encode} leaves them as they are. */
  readonly records: RecordForm;
  /** Of the answers. */
  readonly contentType: string;
  /** As JSON has it. @throws when it cannot be read. */
  decode(body: Buffer): unknown;
  /** @param json in pieces. */
  encode(json: readonly Uint8Array[], operation: string): readonly Uint8Array[];
  /** The HTTP status that goes with it too. */
  encodeError(failure: ServiceError): EncodedError;
}

/** A form that records are kept in, ready to be sent. */
export type RecordForm = "json" | "cbor";

interface EncodedError {
  readonly status: number;
  readonly chunks: readonly Uint8Array[];
}
