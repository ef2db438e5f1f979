/**
 * How records are asked for: in CBOR, as the AWS SDKs for Java do, or in JSON. An endpoint that shows that it does not speak CBOR
 * is asked in JSON from then on.
 */
export class RecordEncoding {
  #cbor: boolean;
  readonly #onFallback: (answer: string) => void;

  /** @param onFallback called once, with what was answered instead. */
  constructor(cbor: boolean, onFallback: (answer: string) => void = () => {}) {
    this.#cbor = cbor;
    this.#onFallback = onFallback;
  }

  get isCbor(): boolean {
    return this.#cbor;
  }

  /**
   * To be called with each answer that is not CBOR, while {@link isCbor}. A failure of the server (status 500 and above) says nothing
   * of what it speaks: it may come from a proxy in front of it.
   */
  notCbor(status: number, contentType: string | undefined): void {
    if (status >= 500 || !this.#cbor) return;
    this.#cbor = false;
    this.#onFallback(`status ${status}, content type ${contentType ?? "unknown"}`);
  }

  /** Middleware that sends a call again in JSON which failed because it was CBOR. */
  readonly sendAgain: <A, R>(next: (args: A) => Promise<R>) => (args: A) => Promise<R> =
    (next) => async (args) => {
      const { isCbor } = this;
      try {
        return await next(args);
      } catch (error) {
        if (!isCbor || this.isCbor) throw error;
        return await next(args);
      }
    };
}
