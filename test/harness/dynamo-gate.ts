import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A DynamoDB that refuses some operations, and passes the others on. */
export interface DynamoGate extends AsyncDisposable {
  readonly endpoint: string;
}

/**
 * Starts one before `dynamoEndpoint`.
 *
 * @param refusal such as `AccessDeniedException`.
 * @param refused the operations, such as `CreateTable`, or what decides for each request.
 */
export async function startDynamoGate(
  dynamoEndpoint: string,
  refusal: string,
  refused: readonly string[] | ((operation: string, body: string) => boolean),
): Promise<DynamoGate> {
  const isRefused =
    typeof refused === "function" ? refused : (operation: string) => refused.includes(operation);
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    const body = await buffer(request);
    if (isRefused(operation, body.toString())) refuse(response, refusal, operation);
    else await passOn(dynamoEndpoint, request, body, response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** In the words of AWS, which name the user: an error may say them, a snapshot not. */
function refuse(response: ServerResponse, refusal: string, operation: string): void {
  response.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(
    JSON.stringify({
      __type: `com.amazon.coral.service#${refusal}`,
      message: `User: arn:aws:iam::000000000000:user/test is not authorized to perform: dynamodb:${operation}`,
    }),
  );
}

async function passOn(
  endpoint: string,
  request: IncomingMessage,
  sent: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { "x-amz-target": target, "content-type": type, "x-amz-date": date, authorization } = request.headers;
  const answer = await fetch(endpoint, {
    method: "POST",
    headers: {
      "x-amz-target": String(target),
      "content-type": String(type),
      "x-amz-date": String(date),
      authorization: String(authorization),
    },
    body: sent,
  });
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
}
