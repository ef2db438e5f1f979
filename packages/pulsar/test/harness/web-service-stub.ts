import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { TLSSocket } from "node:tls";

export interface WebQuestion {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What is answered; `undefined`: nothing, ever. */
export interface WebReply {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
}

/** An admin API on this machine that says what the test says. */
export interface WebServiceStub extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly asked: readonly WebQuestion[];
  /** For each question that came by TLS, whether its sender showed a certificate. */
  readonly identities: readonly boolean[];
}

/** @param tls listens for TLS, with the certificate of that name in `fixtures`. */
export async function startWebService(
  reply: (question: WebQuestion) => WebReply | undefined,
  tls?: string,
): Promise<WebServiceStub> {
  const asked: WebQuestion[] = [];
  const identities: boolean[] = [];
  const listener: RequestListener = (request, response) => {
    const question = { path: request.url ?? "", headers: request.headers };
    asked.push(question);
    const { socket } = request;
    if (socket instanceof TLSSocket) identities.push(Object.keys(socket.getPeerCertificate()).length > 0);
    const said = reply(question);
    if (said === undefined) return;
    response.writeHead(said.status, said.location === undefined ? {} : { location: said.location });
    response.end(said.body ?? "");
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ ...certificate(tls), requestCert: true, rejectUnauthorized: false }, listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the stub has no port");
  const host = tls === undefined ? "http://127.0.0.1" : "https://localhost";
  return {
    url: `${host}:${address.port}`,
    asked,
    identities,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function certificate(name: string): { readonly cert: Buffer; readonly key: Buffer } {
  const read = (part: string) => readFileSync(new URL(`../fixtures/${name}.${part}.pem`, import.meta.url));
  return { cert: read("cert"), key: read("key") };
}
