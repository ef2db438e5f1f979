import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isArchive, isJavaArchive } from "./archive-reference.ts";
import { PluginNotFoundError } from "./errors.ts";

/** Where a connector is, or should be. */
export interface ConnectorPlace {
  /** What people call it: a path, or the name of a package. */
  readonly origin: string;
  /** The path of its directory or archive. @throws PluginNotFoundError when it is not there. */
  locate(): string;
}

/** Packages that this one depends on. */
export function builtInPlaces(packages: readonly string[]): readonly ConnectorPlace[] {
  return packages.map((name) => ({ origin: name, locate: () => directoryOf(name) }));
}

/**
 * The archives and subdirectories of a connectors directory; other files are passed over.
 *
 * @throws PluginNotFoundError (`PIO_PLUGIN_NOT_FOUND`) when it cannot be read.
 */
export async function placesIn(directory: string): Promise<readonly ConnectorPlace[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((cause: unknown) => {
    throw new PluginNotFoundError(`the connectors directory ${directory} cannot be read`, {
      cause,
      remedy: "give a directory that holds connectors, archives or directories, with --connectors-dir",
    });
  });
  return entries
    .filter((entry) => !entry.isFile() || isArchive(entry.name) || isJavaArchive(entry.name))
    .map((entry) => place(resolve(directory, entry.name)));
}

/** The connectors installed where a program of `directory` finds its packages: its own `node_modules`, and those above. */
export async function installedPlaces(directory: string): Promise<readonly ConnectorPlace[]> {
  const places: ConnectorPlace[] = [];
  for (let at = resolve(directory); ; at = dirname(at)) {
    places.push(...(await connectorsOf(join(at, "node_modules"))));
    if (at === dirname(at)) return places;
  }
}

/** The `node_modules` that this package was itself installed in, such as that of `npm install --global`. */
export function ownNeighbourhood(): string {
  return fileURLToPath(new URL("../../..", import.meta.url));
}

async function connectorsOf(modules: string): Promise<readonly ConnectorPlace[]> {
  const names = await readdir(modules).catch(() => []);
  const paths = await Promise.all(
    names.map(async (name) => {
      const path = join(modules, name);
      if (name.startsWith(".")) return [];
      return name.startsWith("@")
        ? (await readdir(path).catch(() => [])).map((inner) => join(path, inner))
        : [path];
    }),
  );
  const all = paths.flat();
  const marked = await Promise.all(all.map(hasManifest));
  return all.filter((_path, index) => marked[index]).map(place);
}

/** Whether a package says that it is a connector; cheap, as all that are installed are asked. */
async function hasManifest(path: string): Promise<boolean> {
  const text = await readFile(join(path, "package.json"), "utf8").catch(() => "");
  return text.includes('"pulsarIo"');
}

function place(path: string): ConnectorPlace {
  return { origin: path, locate: () => path };
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
