import { type BrokerAddress, formatAddress, parseServiceUrl } from "../connection/service-url.ts";
import { InvalidServiceUrlError } from "../errors.ts";

/** Where Pulsar's admin API is asked. */
export interface WebServiceUrl {
  readonly tls: boolean;
  /** At least one. */
  readonly addresses: readonly BrokerAddress[];
}

const urlShape = /^(?<scheme>https?):\/\/(?<hosts>[^/?#@\s]+)\/?$/i;
const defaultPort = { plain: 8080, tls: 8443 };
const remedy =
  "write http://host:8080, or https://host:8443 with TLS; several hosts are separated by commas, an IPv6 address stands in brackets (--web-service-url)";

/**
 * Reads `http://host[:port][,host[:port]…]` or `https://…`.
 *
 * @throws InvalidServiceUrlError (`PIO_INVALID_SERVICE_URL`).
 */
export function parseWebServiceUrl(url: string): WebServiceUrl {
  const groups = urlShape.exec(url.trim())?.groups;
  const hosts = groups?.["hosts"]?.split(",") ?? [];
  const tls = groups?.["scheme"]?.toLowerCase() === "https";
  const addresses = hosts.map((host) => parseAddress(host, tls));
  if (addresses.length > 0 && addresses.every((address) => address !== undefined)) return { tls, addresses };
  // Somebody may have put credentials there: what is before an @ is not repeated.
  const shown = url.replace(/\/\/[^/]*@/, "//…@");
  throw new InvalidServiceUrlError(`"${shown}" is no address of Pulsar's admin API`, { remedy });
}

/**
 * Where the admin API of the brokers of `serviceUrl` is, unless somebody moved it: the same hosts, on its usual ports.
 *
 * @throws InvalidServiceUrlError (`PIO_INVALID_SERVICE_URL`).
 */
export function usualWebServiceUrl(serviceUrl: string): string {
  const { tls, addresses } = parseServiceUrl(serviceUrl);
  const port = tls ? defaultPort.tls : defaultPort.plain;
  return `${tls ? "https" : "http"}://${addresses.map(({ host }) => formatAddress({ host, port })).join(",")}`;
}

function parseAddress(text: string, tls: boolean): BrokerAddress | undefined {
  if (!URL.canParse(`http://${text}`)) return undefined;
  const { hostname } = new URL(`http://${text}`);
  // URL leaves a port out that is the scheme's own.
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1] ?? (tls ? defaultPort.tls : defaultPort.plain));
  return hostname === "" || port === 0 ? undefined : { host: hostname.replace(/^\[|\]$/g, ""), port };
}
