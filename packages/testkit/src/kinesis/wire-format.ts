import type { ServiceError } from "./service-error.ts";

/** How requests and answers are written. */
export interface WireFormat {
  /** Of the answers. */
  readonly contentType: string;
  /** As JSON has it. @throws when it cannot be read. */
  decode(body: Buffer): unknown;
  /** @param json in pieces. */
  encode(json: readonly Uint8Array[], operation: string): readonly Uint8Array[];
  /** The HTTP status that goes with it too. */
  encodeError(failure: ServiceError): EncodedError;
}

interface EncodedError {
  readonly status: number;
  readonly chunks: readonly Uint8Array[];
}
