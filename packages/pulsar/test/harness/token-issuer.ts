import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export interface TokenIssuer extends AsyncDisposable {
  readonly url: string;
  /** What was asked of it: the forms of its token endpoint. */
  readonly asked: readonly URLSearchParams[];
}

/** An OAuth2 issuer on this machine, which knows one client. @param issue the access token, for `lifeSeconds`. */
export async function startTokenIssuer(
  client: { readonly id: string; readonly secret: string },
  lifeSeconds: number,
  issue: () => string,
): Promise<TokenIssuer> {
  const asked: URLSearchParams[] = [];
  const answer = async (request: IncomingMessage, url: string): Promise<object | undefined> => {
    if (request.url === "/.well-known/openid-configuration") return { token_endpoint: `${url}/token` };
    const form = new URLSearchParams(await text(request));
    asked.push(form);
    const known = form.get("client_id") === client.id && form.get("client_secret") === client.secret;
    return known ? { access_token: issue(), token_type: "Bearer", expires_in: lifeSeconds } : undefined;
  };
  let url = "";
  const server = createServer((request, response) => {
    void answer(request, url).then((body) => {
      response.writeHead(body === undefined ? 401 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body ?? { error: "invalid_client" }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the issuer has no port");
  url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
