import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** An address that hands everything on, and remembers which operations of AWS were called. */
export interface RecordingProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** `Kinesis_20131202.GetRecords`, each once. */
  readonly targets: ReadonlySet<string>;
}

export async function startRecordingProxy(endpoint: string): Promise<RecordingProxy> {
  const targets = new Set<string>();
  const server = createServer((incoming, outgoing) => {
    targets.add(String(incoming.headers["x-amz-target"]));
    handOn(endpoint, incoming, outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
  return {
    endpoint: `http://127.0.0.1:${port}`,
    targets,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function handOn(endpoint: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers, url } = incoming;
  const onward = request(new URL(url ?? "/", endpoint), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  incoming.pipe(onward);
}
