import type { Http2Session, Http2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { NodeHttp2Handler } from "@smithy/node-http-handler";

/**
 * Bytes that Kinesis may send ahead of our reading, for each stream and, times its streams, for each connection.
 *
 * As in KCL. Node's default of 64 KiB for both limits a shard to 64 KiB for each round trip: 0.26 MB/s at 100 ms, where Kinesis
 * sends 2 MB/s. This is also the most that a subscription holds in memory while its reader waits for room.
 */
const windowBytes = 512 * 1_024;

type HandleArguments = Parameters<NodeHttp2Handler["handle"]>;
type HandledAnswer = ReturnType<NodeHttp2Handler["handle"]>;

/** The SDK's HTTP/2 handler with receive windows that suit a stream of records over a long distance. */
export class WideHttp2Handler extends NodeHttp2Handler {
  readonly #streams = new WeakMap<Http2Session, number>();

  /** @param connect opens the connection to a host; absent: directly. */
  constructor(connect?: (authority: URL) => Duplex) {
    // Sent with the first frame, so that it holds for the stream of the first request.
    super({
      nodeHttp2ConnectOptions: {
        settings: { initialWindowSize: windowBytes },
        ...(connect === undefined ? {} : { createConnection: connect }),
      },
    });
  }

  override async handle(...[request, options]: HandleArguments): HandledAnswer {
    const answer = await super.handle(request, options);
    // The setting covers streams only; the session, whose own window is apart, is within reach once a stream answers.
    const stream = answer.response.body as Http2Stream; // what the handler documents as its body
    const { session } = stream;
    if (session === undefined) return answer;
    this.#count(session, 1);
    stream.once("close", () => this.#count(session, -1));
    return answer;
  }

  /** Streams of one connection share its window: each adds its own part. */
  #count(session: Http2Session, change: 1 | -1): void {
    const streams = (this.#streams.get(session) ?? 0) + change;
    this.#streams.set(session, streams);
    if (!session.destroyed) session.setLocalWindowSize(windowBytes * Math.max(1, streams));
  }
}
