import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { nearest } from "@pulsar-ts-io/config";
import { toError } from "@pulsar-ts-io/core";
import { builtInPackages } from "./built-ins.ts";
import { type ConnectorPackage, readConnectorPackage } from "./connector-package.ts";
import { PluginArchiveError, PluginManifestError, PluginNotFoundError } from "./errors.ts";

/** Which connector is meant: by the name in its manifest, or by where it lies. */
export type ConnectorReference =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "path"; readonly path: string };

/** One place where a connector is, or should be. */
export type ConnectorListing =
  | { readonly kind: "usable"; readonly origin: string; readonly connector: ConnectorPackage }
  | { readonly kind: "broken"; readonly origin: string; readonly error: Error };

export interface PluginHostOptions {
  /** Packages resolved from the runtime's own dependencies; default {@link builtInPackages}. */
  readonly builtIns?: readonly string[] | undefined;
  /** A directory whose subdirectories are connectors; absent: none. */
  readonly connectorsDirectory?: string | undefined;
}

/** Knows which connectors there are, without running any of their code. */
export class PluginHost {
  readonly #builtIns: readonly string[];
  readonly #connectorsDirectory: string | undefined;

  constructor(options: PluginHostOptions = {}) {
    this.#builtIns = options.builtIns ?? builtInPackages;
    this.#connectorsDirectory = options.connectorsDirectory;
  }

  /** Every connector, the broken ones with the reason; in order of their names. */
  async list(): Promise<readonly ConnectorListing[]> {
    const builtIns = this.#builtIns.map((name) => this.#listing(name, () => directoryOf(name)));
    const found = (await this.#candidates()).map((path) => this.#listing(path, () => path));
    const listings = await Promise.all([...builtIns, ...found]);
    return listings.sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  }

  /**
   * The connector that `reference` means.
   *
   * @throws PluginNotFoundError (`PIO_PLUGIN_NOT_FOUND`) naming the connectors there are.
   * @throws PluginManifestError when two connectors have that name, and the errors of {@link readConnectorPackage}.
   */
  async find(reference: ConnectorReference): Promise<ConnectorPackage> {
    if (reference.kind === "path") return readConnectorPackage(await directoryAt(reference.path));
    const listings = await this.list();
    const named = listings.filter((listing) => nameOf(listing) === reference.name);
    const [first, second] = named;
    if (first === undefined) throw unknownName(reference.name, listings);
    if (second !== undefined) {
      throw new PluginManifestError(
        `two connectors are called ${reference.name}: ${first.origin} and ${second.origin}`,
        { remedy: "remove one of them, or name the one you mean with --archive and its path" },
      );
    }
    if (first.kind === "broken") throw first.error;
    return first.connector;
  }

  async #candidates(): Promise<readonly string[]> {
    const directory = this.#connectorsDirectory;
    if (directory === undefined) return [];
    const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
      throw new PluginNotFoundError(`the connectors directory ${directory} cannot be read`, {
        cause,
        remedy: "give a directory whose subdirectories are connectors with --connectors-dir",
      });
    });
    return entries.filter((entry) => !entry.isFile()).map((entry) => resolve(directory, entry.name));
  }

  async #listing(origin: string, locate: () => string): Promise<ConnectorListing> {
    try {
      return { kind: "usable", origin, connector: await readConnectorPackage(locate()) };
    } catch (error) {
      return { kind: "broken", origin, error: toError(error) };
    }
  }
}

/**
 * Reads the text of `--archive`: `builtin://name`, `file://…`, or a path.
 *
 * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) for what is no connector of this runtime.
 */
export function parseArchive(archive: string): ConnectorReference {
  if (archive.startsWith("builtin://")) return { kind: "name", name: archive.slice("builtin://".length) };
  if (archive.startsWith("file://")) return { kind: "path", path: fileURLToPath(archive) };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(archive)?.[1];
  if (scheme !== undefined) {
    throw new PluginArchiveError(`an archive cannot be fetched from a ${scheme}:// address: ${archive}`, {
      remedy: "download it first, and give the path of the connector's directory",
    });
  }
  return { kind: "path", path: archive };
}

async function directoryAt(path: string): Promise<string> {
  const absolute = resolve(path);
  if (absolute.endsWith(".nar") || absolute.endsWith(".jar")) {
    throw new PluginArchiveError(`${path} is a Java archive, which this runtime cannot run`, {
      remedy:
        "use the connector of the same name written for pulsar-ts-io: see `pulsar-ts-io connectors list`",
    });
  }
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isFile() === true) {
    throw new PluginArchiveError(`${path} is a file; a connector is loaded from a directory for now`, {
      remedy: "unpack it, and give the directory that holds its package.json",
    });
  }
  return absolute;
}

function directoryOf(packageName: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(join(packageName, "package.json")));
  } catch (cause) {
    throw new PluginNotFoundError(`the built-in connector ${packageName} is not installed`, {
      cause,
      remedy: `install it: npm install ${packageName}`,
    });
  }
}

/** The name in the manifest; of a broken connector, where it lies. */
function nameOf(listing: ConnectorListing): string {
  return listing.kind === "usable" ? listing.connector.manifest.name : listing.origin;
}

function unknownName(name: string, listings: readonly ConnectorListing[]): PluginNotFoundError {
  const usable = listings.filter((listing) => listing.kind === "usable").map(nameOf);
  const broken = listings.filter((listing) => listing.kind === "broken").map(nameOf);
  const brokenToo = broken.length === 0 ? "" : `; broken: ${broken.join(", ")}`;
  const near = nearest(name, usable);
  const meant = near === undefined ? "use one of these names" : `did you mean ${near}?`;
  return new PluginNotFoundError(
    `invalid source type '${name}' -- available sources are: [${usable.join(", ")}]${brokenToo}`,
    {
      remedy:
        broken.length === 0
          ? `${meant} (a connector that is not listed is given by its path with --archive)`
          : `${meant} (\`pulsar-ts-io connectors list\` says why the broken ones are)`,
    },
  );
}
