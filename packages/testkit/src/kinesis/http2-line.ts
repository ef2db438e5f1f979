import { once } from "node:events";
import type { Http2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { CallLine } from "./call-line.ts";
import type { WireHead } from "./wire.ts";

/** A connection that calls share. */
export class Http2Connection {
  /** By order of a test. Pings are answered still: Node does that by itself. */
  frozen = false;
  readonly #session: Http2Session;
  readonly #socket: Socket;

  constructor(session: Http2Session, socket: Socket) {
    this.#session = session;
    this.#socket = socket;
  }

  /** GOAWAY: what is under way goes on, and nothing else begins. */
  farewell(): void {
    if (!this.#session.closed) this.#session.close();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}

/** One stream of a connection. */
export class Http2Line implements CallLine {
  readonly signal: AbortSignal;
  readonly #stream: ServerHttp2Stream;
  readonly #connection: Http2Connection;

  constructor(stream: ServerHttp2Stream, connection: Http2Connection) {
    this.#stream = stream;
    this.#connection = connection;
    const hungUp = new AbortController();
    this.signal = hungUp.signal;
    stream.on("close", () => hungUp.abort(new Error("the caller hung up")));
    stream.on("error", () => {}); // "close" follows
  }

  get frozen(): boolean {
    return this.#connection.frozen;
  }

  farewell(): void {
    this.#connection.farewell();
  }

  open(head: WireHead): void {
    this.#stream.respond({ ":status": head.status, ...head.headers });
  }

  write(chunks: readonly Uint8Array[]): void {
    this.#stream.cork();
    for (const chunk of chunks) this.#stream.write(chunk);
    this.#stream.uncork();
  }

  async drained(): Promise<void> {
    if (this.#stream.writableNeedDrain) await once(this.#stream, "drain", { signal: this.signal });
  }

  end(): void {
    this.#stream.end();
  }

  hangUp(): void {
    this.#stream.close();
  }

  reset(): void {
    this.#connection.reset();
  }

  resetAfterwards(): void {
    this.#stream.write("", () => this.reset());
  }

  freeze(): void {
    this.#connection.frozen = true;
  }
}
