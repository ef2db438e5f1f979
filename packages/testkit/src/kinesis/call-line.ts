import type { WireHead } from "./wire.ts";

/** The way back to the caller of one call, over whatever version of HTTP. */
export interface CallLine {
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal;
  /** Whether the connection is half open by order of a test: then nothing may be sent any more. */
  readonly frozen: boolean;
  /** Tells the caller to use the connection for nothing else; before {@link open} where that is still possible. */
  farewell(): void;
  open(head: WireHead): void;
  write(chunks: readonly Uint8Array[]): void;
  /** Waits until the caller has taken enough of what was written; rejects when it hangs up. */
  drained(): Promise<void>;
  end(): void;
  /** Ends in good order without an answer. */
  hangUp(): void;
  /** Resets the connection at once. */
  reset(): void;
  /** Resets it once what was written has left. */
  resetAfterwards(): void;
  /** From now on nothing is sent on this connection. */
  freeze(): void;
}
