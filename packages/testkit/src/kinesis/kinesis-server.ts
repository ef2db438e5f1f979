import { once } from "node:events";
import { createServer as createHttp1Server, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, type Http2Session } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { CallLine } from "./call-line.ts";
import { Http1Line } from "./http1-line.ts";
import { Http2Connection, Http2Line } from "./http2-line.ts";

/** A call as HTTP brought it. */
export interface HttpCall {
  /** Of the method and the path: `POST /`. */
  readonly request: string;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type AnswerCall = (call: HttpCall, line: CallLine) => Promise<void>;

export interface KinesisServer {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** What an HTTP/2 client says first, when it knows before that the server speaks it; no HTTP/1.1 request begins like this. */
const http2Preface = Buffer.from("PRI * HTTP/2.0");

/** Serves HTTP/1.1 and HTTP/2, both without TLS, on one port of the system's choice on 127.0.0.1. */
export async function startKinesisServer(answer: AnswerCall): Promise<KinesisServer> {
  const http1 = createHttp1Server({ keepAliveTimeout: 60_000 }, (request, response) => {
    const line = new Http1Line(response);
    const { method, url, headers } = request;
    take(request, { request: `${method} ${url}`, headers }, line, answer);
  });
  const connections = new WeakMap<Http2Session, Http2Connection>();
  const http2 = createHttp2Server();
  http2.on("stream", (stream, headers) => {
    const connection = stream.session === undefined ? undefined : connections.get(stream.session);
    if (connection === undefined) return stream.close(); // it died as it came
    const { ":method": method, ":path": path } = headers;
    take(stream, { request: `${method} ${path}`, headers }, new Http2Line(stream, connection), answer);
  });

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // "close" follows
    socket.once("data", (first) => {
      socket.pause();
      socket.unshift(first);
      if (!first.subarray(0, http2Preface.length).equals(http2Preface)) {
        http1.emit("connection", socket);
        socket.resume();
        return;
      }
      http2.once("session", (session) => {
        session.on("error", () => {}); // its streams tell
        connections.set(session, new Http2Connection(session, socket));
      });
      http2.emit("connection", socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let closing: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port, // a listening TCP server has such an address
    close: () => {
      closing ??= new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      return closing;
    },
  };
}

function take(
  input: IncomingMessage | AsyncIterable<Buffer>,
  call: Omit<HttpCall, "body">,
  line: CallLine,
  answer: AnswerCall,
): void {
  read(input)
    .then((body) => answer({ ...call, body }, line))
    .catch(() => {
      if (!line.signal.aborted) line.reset();
    });
}

async function read(input: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
