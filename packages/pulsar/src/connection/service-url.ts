import { InvalidServiceUrlError } from "../errors.ts";

/** Where a broker, or a proxy before it, listens. */
export interface BrokerAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ServiceUrl {
  readonly tls: boolean;
  /** At least one. */
  readonly addresses: readonly BrokerAddress[];
}

const defaultPort = { plain: 6650, tls: 6651 };
const urlShape = /^(?<scheme>[a-z+]+):\/\/(?<hosts>[^/?#@\s]+)\/?$/i;
const hostShape = /^(?:\[(?<v6>[0-9a-f:.%\w]+)\]|(?<name>[^:[\],]+))(?::(?<port>\d{1,5}))?$/i;
const remedy =
  "write pulsar://host:6650, or pulsar+ssl://host:6651 with TLS; several hosts are separated by commas, an IPv6 address stands in brackets";

/**
 * Reads `pulsar://host[:port][,host[:port]…]` or `pulsar+ssl://…`.
 *
 * @throws InvalidServiceUrlError (`PIO_INVALID_SERVICE_URL`).
 */
export function parseServiceUrl(url: string): ServiceUrl {
  const groups = urlShape.exec(url.trim())?.groups;
  const scheme = groups?.["scheme"]?.toLowerCase();
  if (scheme === "http" || scheme === "https") {
    throw invalid(url, `${scheme} is the admin address, records go over the binary protocol`);
  }
  if (groups?.["hosts"] === undefined || (scheme !== "pulsar" && scheme !== "pulsar+ssl")) {
    throw invalid(url, "it has not the shape of one");
  }
  const tls = scheme === "pulsar+ssl";
  const addresses = groups["hosts"].split(",").map((host) => parseAddress(url, host, tls));
  return { tls, addresses };
}

/** `host:port`, IPv6 in brackets. */
export function formatAddress(address: BrokerAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The service URL of these addresses, for people. */
export function formatServiceUrl(url: ServiceUrl): string {
  return `${url.tls ? "pulsar+ssl" : "pulsar"}://${url.addresses.map(formatAddress).join(",")}`;
}

function parseAddress(url: string, text: string, tls: boolean): BrokerAddress {
  const groups = hostShape.exec(text)?.groups;
  const host = groups?.["v6"] ?? groups?.["name"];
  if (host === undefined) throw invalid(url, `"${text}" is no host`);
  const port = Number(groups?.["port"] ?? (tls ? defaultPort.tls : defaultPort.plain));
  if (port < 1 || port > 65_535) throw invalid(url, `${port} is no port`);
  return { host, port };
}

function invalid(url: string, why: string): InvalidServiceUrlError {
  // A URL may carry credentials that someone put there: what is before an @ is not repeated.
  const shown = url.replace(/\/\/[^/]*@/, "//…@");
  return new InvalidServiceUrlError(`"${shown}" is no Pulsar service URL: ${why}`, { remedy });
}
