import { isIP } from "node:net";

/**
 * Whether a request's Host header names this server by an address, or by one of `names`.
 *
 * A page in somebody's browser can point a name of its own at this address; it cannot make the browser send another Host.
 * A numeric address is no name that could be pointed anywhere.
 */
export function isOwnHost(header: string | undefined, names: ReadonlySet<string>): boolean {
  const host = hostOf(header);
  return host !== undefined && (isIP(host) !== 0 || names.has(host));
}

/** Without its port and its brackets, in lower case; `undefined`: it is none. */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? "") ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, "");
}
