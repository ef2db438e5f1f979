import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { decode, encode } from "cborg";

export interface AwsAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface AwsStub extends AsyncDisposable {
  readonly endpoint: string;
  /** The operations that were called, in order. */
  readonly calls: readonly string[];
  /** What they were called with, in order. */
  readonly bodies: readonly unknown[];
}

const cborType = "application/x-amz-cbor-1.1";

/** A server that answers each operation, on a table if it is one, as a test says. */
export async function startAwsStub(
  answer: (operation: string, table: string | undefined) => AwsAnswer,
): Promise<AwsStub> {
  const calls: string[] = [];
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    calls.push(operation);
    const cbor = request.headers["content-type"] === cborType;
    const sent = await buffer(request);
    const body: { readonly TableName?: string } = cbor ? decode(sent) : JSON.parse(sent.toString());
    bodies.push(body);
    const { status, body: answered } = answer(operation, body.TableName);
    response
      .writeHead(status, { "content-type": cbor ? cborType : "application/x-amz-json-1.0" })
      .end(cbor ? encode(answered) : JSON.stringify(answered));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a listening TCP server has such an address
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    bodies,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An error as AWS sends it. */
export function awsError(name: string, message: string, status = 400): AwsAnswer {
  return { status, body: { __type: `com.amazonaws#${name}`, message } };
}
