import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { CallLine } from "./call-line.ts";
import type { WireHead } from "./wire.ts";

/** A connection of its own for as long as the call takes. */
export class Http1Line implements CallLine {
  readonly signal: AbortSignal;
  frozen = false;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    const hungUp = new AbortController();
    this.signal = hungUp.signal;
    response.on("close", () => hungUp.abort(new Error("the caller hung up")));
  }

  farewell(): void {
    if (!this.#response.headersSent) this.#response.setHeader("connection", "close");
  }

  open(head: WireHead): void {
    this.#response.writeHead(head.status, head.headers);
  }

  /** One system call for all pieces: they are gathered, not copied together. */
  write(chunks: readonly Uint8Array[]): void {
    this.#response.cork();
    for (const chunk of chunks) this.#response.write(chunk);
    this.#response.uncork();
  }

  async drained(): Promise<void> {
    if (this.#response.writableNeedDrain) await once(this.#response, "drain", { signal: this.signal });
  }

  end(): void {
    this.#response.end();
  }

  hangUp(): void {
    this.#response.socket?.end();
  }

  reset(): void {
    this.#response.socket?.resetAndDestroy();
  }

  resetAfterwards(): void {
    this.#response.write("", () => this.reset());
  }

  freeze(): void {
    this.frozen = true;
  }
}
