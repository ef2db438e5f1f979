import { type Clock, codeOf, toError } from "@pulsar-ts-io/core";
import { PulsarAuthenticationError, PulsarUnreachableError } from "../errors.ts";
import { type BoundedFetch, ProxyError, proxyRemedy, throughProxy } from "../http-proxy.ts";
import { withDeadline } from "../wait.ts";

/** Two requests and the broker's handshake fit into the 30 s of a connect. */
export const defaultRequestMs = 10_000;

export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

export interface AccessToken {
  readonly text: string;
  /** 0: it is not said, and may be any time. */
  readonly expiresInMs: number;
}

/** What the token shall be good for. */
export interface Wanted {
  readonly audience: string | undefined;
  readonly scope: string | undefined;
}

interface IssuerHost {
  readonly clock: Clock;
  readonly fetch: BoundedFetch;
  /** Longest wait for an answer, milliseconds. */
  readonly requestMs: number;
}

/** Who issues access tokens: found by its metadata, asked by client credentials. */
export class TokenIssuer {
  readonly #url: URL;
  readonly #host: IssuerHost;

  constructor(url: URL, host: IssuerHost) {
    this.#url = url;
    this.#host = host;
  }

  /**
   * A new access token.
   *
   * @throws PulsarAuthenticationError (`PIO_PULSAR_AUTHENTICATION`) when it is refused;
   *   PulsarUnreachableError (`PIO_PULSAR_UNREACHABLE`) when the issuer does not answer; the signal's reason.
   * @see RFC 6749, section 4.4, and OpenID Connect Discovery, section 4
   */
  async token(client: ClientCredentials, wanted: Wanted, signal: AbortSignal): Promise<AccessToken> {
    const metadata = await this.#ask(`${this.#name}/.well-known/openid-configuration`, undefined, signal);
    const endpoint = metadata["token_endpoint"];
    if (typeof endpoint !== "string" || !/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
      throw this.#refused("its metadata names no token_endpoint");
    }
    if (this.#url.protocol === "https:" && !endpoint.startsWith("https:")) {
      throw this.#refused("its metadata names a token_endpoint without TLS");
    }
    const form = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: client.id,
      client_secret: client.secret,
      ...(wanted.audience === undefined ? {} : { audience: wanted.audience }),
      ...(wanted.scope === undefined ? {} : { scope: wanted.scope }),
    });
    const answer = await this.#ask(endpoint, form, signal);
    const text = answer["access_token"];
    if (typeof text !== "string" || text === "") throw this.#refused("its answer holds no access_token");
    const seconds = Number(answer["expires_in"] ?? 0);
    return { text, expiresInMs: Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : 0 };
  }

  async #ask(
    url: string,
    form: URLSearchParams | undefined,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { clock, requestMs } = this.#host;
    const proxy = this.#host.fetch.proxyFor?.(new URL(url));
    const through = throughProxy(proxy);
    const remedy = proxy === undefined ? undefined : proxyRemedy(new URL(url).host);
    const error = () => this.#unreachable(`it did not answer in ${requestMs} ms${through}`, { remedy });
    const deadline = { clock, ms: requestMs, error };
    return await withDeadline(deadline, signal, async (either) => {
      try {
        const response = await this.#host.fetch(url, {
          signal: either,
          headers: { accept: "application/json" },
          // The client's secret goes where the metadata says, and nowhere else.
          ...(form === undefined ? {} : { method: "POST", body: form, redirect: "error" }),
        });
        const text = await response.text();
        if (!response.ok) throw this.#answered(response.status, text, through, remedy);
        return this.#json(text);
      } catch (reason) {
        either.throwIfAborted();
        if (reason instanceof PulsarAuthenticationError || reason instanceof PulsarUnreachableError)
          throw reason;
        throw this.#unreachable(describe(toError(reason), through), { cause: reason, remedy });
      }
    });
  }

  #json(text: string): Readonly<Record<string, unknown>> {
    try {
      const parsed: unknown = JSON.parse(text);
      if (typeof parsed === "object" && parsed !== null) return { ...parsed };
    } catch {
      // Said below; the parser would repeat what may be a token.
    }
    throw this.#refused("its answer is no JSON object");
  }

  #answered(status: number, text: string, through: string, remedy: string | undefined): Error {
    if (status === 429 || status >= 500) {
      return this.#unreachable(`it answered ${status}${through}`, { remedy });
    }
    const [, said] = /"error"\s*:\s*"([a-z_]{1,40})"/.exec(text) ?? [];
    return this.#refused(`it answered ${status}${through}${said === undefined ? "" : `: ${said}`}`);
  }

  #refused(why: string): PulsarAuthenticationError {
    return new PulsarAuthenticationError(`no access token from ${this.#name}: ${why}`, {
      details: { issuer: this.#name },
      remedy:
        "check issuerUrl, audience and scope of the plugin oauth2, and the key file's client_id and client_secret",
    });
  }

  #unreachable(
    why: string,
    { cause, remedy }: { readonly cause?: unknown; readonly remedy: string | undefined },
  ): PulsarUnreachableError {
    return new PulsarUnreachableError(`no access token from ${this.#name}: ${why}`, {
      ...(cause === undefined ? {} : { cause }),
      details: { issuer: this.#name },
      remedy:
        remedy ?? "check the issuerUrl of the plugin oauth2, and that the issuer can be reached from here",
    });
  }

  /** Without what may be a secret in it. */
  get #name(): string {
    return `${this.#url.origin}${this.#url.pathname}`.replace(/\/+$/, "");
  }
}

/** What `fetch` says lies in the cause of its error. */
function describe(error: Error, through: string): string {
  if (error instanceof ProxyError) return error.message;
  const cause = error.cause === undefined ? error : toError(error.cause);
  const code = codeOf(cause);
  return `${code === undefined ? cause.message : `${cause.message || "no connection"} (${code})`}${through}`;
}
