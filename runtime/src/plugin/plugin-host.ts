import { realpath } from "node:fs/promises";
import { nearest, PluginManifestError } from "@pulsar-ts-io/config";
import { toError } from "@pulsar-ts-io/core";
import { ArchiveStore } from "../archive/archive-store.ts";
import { defaultArchiveDirectory } from "../archive/default-archive-directory.ts";
import { readArchivedPackage } from "../archive/read-archived-package.ts";
import { type ConnectorReference, locateConnector } from "./archive-reference.ts";
import { builtInPackages } from "./built-ins.ts";
import { checkSchema } from "./check-schema.ts";
import { type ConnectorPackage, readConnectorPackage } from "./connector-package.ts";
import { builtInPlaces, type ConnectorPlace, installedPlaces, placesIn } from "./connector-places.ts";
import { PluginNotFoundError } from "./errors.ts";

/** One place where a connector is, or should be. */
export type ConnectorListing =
  | { readonly kind: "usable"; readonly origin: string; readonly connector: ConnectorPackage }
  | { readonly kind: "broken"; readonly origin: string; readonly error: Error };

export interface PluginHostOptions {
  /** Packages resolved from the runtime's own dependencies; default {@link builtInPackages}. */
  readonly builtIns?: readonly string[] | undefined;
  /** A directory that holds connectors, archives or directories; absent: none. */
  readonly connectorsDirectory?: string | undefined;
  /** Directories whose `node_modules`, and those above, may hold connectors; default none. */
  readonly installedFor?: readonly string[] | undefined;
  /** Where archives are unpacked; default a directory of the user's own. */
  readonly archives?: ArchiveStore | undefined;
}

/** Knows which connectors there are, without running any of their code. */
export class PluginHost {
  readonly #builtIns: readonly string[];
  readonly #connectorsDirectory: string | undefined;
  readonly #installedFor: readonly string[];
  readonly #archives: ArchiveStore;

  constructor(options: PluginHostOptions = {}) {
    this.#builtIns = options.builtIns ?? builtInPackages;
    this.#connectorsDirectory = options.connectorsDirectory;
    this.#installedFor = options.installedFor ?? [];
    this.#archives = options.archives ?? new ArchiveStore(defaultArchiveDirectory({}));
  }

  /** Every connector, the broken ones with the reason; in order of their names. */
  async list(): Promise<readonly ConnectorListing[]> {
    return (await this.#listings()).map(withSchemaChecked);
  }

  /**
   * The connector that `reference` means.
   *
   * @throws PluginNotFoundError (`PIO_PLUGIN_NOT_FOUND`) naming the connectors there are.
   * @throws PluginManifestError when two connectors have that name, and the errors of {@link readConnectorPackage} and
   * {@link readArchivedPackage}.
   */
  async find(reference: ConnectorReference): Promise<ConnectorPackage> {
    if (reference.kind === "path") return await this.#read(reference.path);
    const listings = await this.#listings();
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

  async #listings(): Promise<readonly ConnectorListing[]> {
    const inDirectory =
      this.#connectorsDirectory === undefined ? [] : await placesIn(this.#connectorsDirectory);
    const installed = await Promise.all(this.#installedFor.map(installedPlaces));
    const places = await eachOnce([...builtInPlaces(this.#builtIns), ...inDirectory, ...installed.flat()]);
    const listings = await Promise.all(places.map((place) => this.#listing(place)));
    return listings.sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  }

  async #listing({ origin, locate }: ConnectorPlace): Promise<ConnectorListing> {
    try {
      return { kind: "usable", origin, connector: await this.#read(locate()) };
    } catch (error) {
      return { kind: "broken", origin, error: toError(error) };
    }
  }

  async #read(path: string): Promise<ConnectorPackage> {
    const location = await locateConnector(path);
    return location.kind === "archive"
      ? await readArchivedPackage(location.path, this.#archives)
      : await readConnectorPackage(location.path);
  }
}

/** A connector that is reached on two ways, such as through links, is one connector. */
async function eachOnce(places: readonly ConnectorPlace[]): Promise<readonly ConnectorPlace[]> {
  const byPath = new Map<string, ConnectorPlace>();
  for (const place of places) {
    const path = await realPathOf(place);
    if (!byPath.has(path)) byPath.set(path, place);
  }
  return [...byPath.values()];
}

async function realPathOf({ origin, locate }: ConnectorPlace): Promise<string> {
  try {
    return await realpath(locate());
  } catch {
    return origin; // listed as broken, with the reason
  }
}

function withSchemaChecked(listing: ConnectorListing): ConnectorListing {
  if (listing.kind === "broken") return listing;
  try {
    checkSchema(listing.connector);
    return listing;
  } catch (error) {
    return { kind: "broken", origin: listing.origin, error: toError(error) };
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
