import { describeProxy, proxyFor } from "./http-proxy.ts";

/** Where a service is called. */
export interface AwsPlace {
  /** The URL, such as `https://kinesis.eu-west-1.amazonaws.com`. */
  readonly endpoint: string;
  /** The proxy that the environment names for it; `undefined`: it is called directly. */
  readonly proxy?: string | undefined;
}

/** The part of an AWS client's resolved configuration that says where its calls go. */
export interface EndpointConfig {
  region(): Promise<string>;
  endpoint?: (() => Promise<UrlParts>) | undefined;
  useDualstackEndpoint(): Promise<boolean>;
  useFipsEndpoint(): Promise<boolean>;
  // biome-ignore lint/suspicious/noExplicitAny: each client has a type of its own for the parameters, with the three below in it
  endpointProvider(parameters: any): { readonly url: URL };
}

interface UrlParts {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
}

/** Where a request of the SDK goes, as it is signed and sent; `undefined` for what is no request. */
export function placeOfRequest(request: unknown): AwsPlace | undefined {
  if (typeof request !== "object" || request === null) return undefined;
  if (!("protocol" in request) || !("hostname" in request)) return undefined;
  const { protocol, hostname } = request;
  const port = "port" in request && typeof request.port === "number" ? `:${request.port}` : "";
  return placeOf(`${String(protocol)}//${String(hostname)}${port}`);
}

/** Where a client would send a request that names no resource: the endpoint that is configured, else the SDK's own data for the region. */
export async function placeOfService(config: EndpointConfig): Promise<AwsPlace> {
  if (config.endpoint === undefined) {
    const { url } = config.endpointProvider({
      Region: await config.region(),
      UseDualStack: await config.useDualstackEndpoint(),
      UseFIPS: await config.useFipsEndpoint(),
    });
    return placeOf(url.origin);
  }
  const { protocol, hostname, port, path } = await config.endpoint();
  const authority = port === undefined ? hostname : `${hostname}:${port}`;
  return placeOf(`${protocol}//${authority}${path === "/" ? "" : path}`);
}

function placeOf(endpoint: string): AwsPlace {
  const proxy = URL.canParse(endpoint) ? proxyFor(new URL(endpoint)) : undefined;
  return { endpoint, ...(proxy === undefined ? {} : { proxy: describeProxy(proxy) }) };
}
