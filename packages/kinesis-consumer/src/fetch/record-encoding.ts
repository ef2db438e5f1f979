/** What is known of an endpoint. */
type Knowledge =
  /** It has not answered yet. */
  | "untried"
  /** It has failed when it was asked in CBOR: perhaps because of that. It is asked in JSON. */
  | "doubted"
  | "speaks-cbor"
  | "speaks-json";

/**
 * How records are asked for: in CBOR, as the AWS SDKs for Java do, or in JSON. An endpoint that shows that it does not speak CBOR
 * is asked in JSON from then on.
 */
export class RecordEncoding {
  #knowledge: Knowledge;
  readonly #onFallback: (answer: string) => void;

  /** @param onFallback called once, with what was answered instead. */
  constructor(cbor: boolean, onFallback: (answer: string) => void = () => {}) {
    this.#knowledge = cbor ? "untried" : "speaks-json";
    this.#onFallback = onFallback;
  }

  get isCbor(): boolean {
    return this.#knowledge === "untried" || this.#knowledge === "speaks-cbor";
  }

  /** To be called with each answer in CBOR. */
  answeredInCbor(): void {
    if (this.#knowledge !== "speaks-json") this.#knowledge = "speaks-cbor";
  }

  /**
   * To be called with each answer that is not CBOR. A failure of the server (status 500 and above) may come from something in front
   * of it. Before the first answer in CBOR it may also mean that the server cannot read CBOR: the answer to JSON decides.
   */
  answeredOtherwise(status: number, contentType: string | undefined): void {
    const failed = status >= 500;
    if (this.#knowledge === "speaks-json" || (failed && this.#knowledge === "speaks-cbor")) return;
    if (failed) this.#knowledge = this.#knowledge === "untried" ? "doubted" : "untried";
    else {
      this.#knowledge = "speaks-json";
      this.#onFallback(`status ${status}, content type ${contentType ?? "unknown"}`);
    }
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
