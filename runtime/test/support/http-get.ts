import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";

export interface HttpReply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One request, its Host header and method as told: `fetch` would not let the test say what an attacker says. */
export async function httpGet(
  url: string,
  { host, method = "GET" }: { readonly host?: string; readonly method?: string } = {},
): Promise<HttpReply> {
  const sent = request(url, { method, agent: false, headers: host === undefined ? {} : { host } });
  sent.end();
  const [response]: IncomingMessage[] = await once(sent, "response");
  if (response === undefined) throw new Error("no response");
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += String(chunk);
  return { status: response.statusCode, headers: response.headers, body };
}
