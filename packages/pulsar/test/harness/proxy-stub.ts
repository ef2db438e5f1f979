import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, type Socket } from "node:net";

/** An HTTP proxy on this machine that takes every host for this machine. */
export interface ProxyStub extends AsyncDisposable {
  /** With a user and a password. */
  readonly url: string;
  /** `host:port`. */
  readonly host: string;
  /** What it was asked for: `CONNECT host:port` or `GET http://host:port/path`. */
  readonly asked: readonly string[];
  /** The credentials it was given. */
  readonly logins: readonly (string | undefined)[];
}

/** @param refusal the status that it refuses everything with; `"silent"`: it accepts connections and never answers. */
export async function startProxy(refusal?: number | "silent"): Promise<ProxyStub> {
  const asked: string[] = [];
  const logins: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((question, response) => {
    asked.push(`${question.method} ${question.url}`);
    logins.push(question.headers["proxy-authorization"]);
    if (refusal === "silent") return;
    if (refusal !== undefined) return void response.writeHead(refusal).end();
    const { port, pathname, search } = new URL(question.url ?? "");
    const path = `${pathname}${search}`;
    const { method, headers } = question;
    const onward = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    question.pipe(onward);
  });
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.on("connect", (question, client) => {
    asked.push(`CONNECT ${question.url}`);
    logins.push(question.headers["proxy-authorization"]);
    client.on("error", () => undefined);
    if (refusal === "silent") return;
    if (refusal !== undefined) return void client.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
    const onward = connect(Number(/\d+$/.exec(question.url ?? "")?.[0]), "127.0.0.1");
    sockets.add(onward);
    onward.on("error", () => client.destroy());
    client.write("HTTP/1.1 200 Connected\r\n\r\n");
    client.pipe(onward).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `http://user:hush%40hush@127.0.0.1:${address.port}`,
    host: `127.0.0.1:${address.port}`,
    asked,
    logins,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
