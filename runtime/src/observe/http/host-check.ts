import { isIP } from "node:net";

/** A name, or a suffix with a leading dot that stands for every name below it. */
export type HostPattern = string;

/**
 * Checks the Host header against the names of this server.
 *
 * DNS rebinding: a web page can resolve its own domain to this address, and its scripts then read the answers as their own origin.
 * The browser still sends the page's domain as Host, so a server that answers to its own names only is safe. An IP address is no
 * domain that a page could resolve elsewhere: every address is accepted.
 */
export class HostCheck {
  readonly #names: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  constructor(patterns: readonly HostPattern[]) {
    const known = patterns.map((pattern) => pattern.toLowerCase().replace(/^\*\./, ".").replace(/\.$/, ""));
    this.#names = new Set(known.filter((name) => !name.startsWith(".")));
    this.#suffixes = known.filter((name) => name.startsWith(".") && name.length > 1);
  }

  /** Whether `header`, with or without a port, is an IP address or matches one of the patterns. */
  accepts(header: string | undefined): boolean {
    const host = hostOf(header);
    if (host === undefined) return false;
    if (isIP(host) !== 0 || this.#names.has(host)) return true;
    return this.#suffixes.some((suffix) => host.endsWith(suffix) && !host.startsWith("."));
  }
}

/** The host without port and brackets, in lower case; `undefined` when the header is not valid. */
function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(header ?? "") ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, "");
}
