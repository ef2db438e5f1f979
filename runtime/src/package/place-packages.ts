import { PackageError } from "./errors.ts";
import { findPackage, type InstalledPackage } from "./installed-package.ts";

/** Where a package comes to lie in the archive, relative to the connector: `""` for the connector itself. */
export interface PlacedPackage {
  readonly path: string;
  readonly installed: InstalledPackage;
}

/** More are not the needs of one connector, but versions that need each other in circles. */
const maxPackages = 5_000;

/**
 * The connector and all that it needs while it runs, laid out so that each gets what it gets now.
 *
 * Packages lie beside each other in one `node_modules`; where two versions of one are needed, the second lies inside of what needs it.
 * The same input gives the same layout, whatever package manager installed it.
 *
 * @throws PackageError (`PIO_PACKAGE`) when something is not installed.
 */
export async function placePackages(connector: InstalledPackage): Promise<readonly PlacedPackage[]> {
  const placed = new Map<string, InstalledPackage>([["", connector]]);
  // Grows while it is gone through: what is placed is asked for its own needs in turn.
  const places: PlacedPackage[] = [{ path: "", installed: connector }];
  for (const { path: parent, installed } of places) {
    for (const { name, package: needed } of await needsOf(installed)) {
      const path = placeFor(placed, parent, name, needed);
      if (path === undefined) continue;
      placed.set(path, needed);
      places.push({ path, installed: needed });
    }
    if (placed.size > maxPackages) {
      throw new PackageError(`the connector needs more than ${maxPackages} packages`, {
        remedy: "look for versions that need each other in circles: npm ls --all",
      });
    }
  }
  return places;
}

interface Need {
  readonly name: string;
  readonly package: InstalledPackage;
}

async function needsOf(installed: InstalledPackage): Promise<readonly Need[]> {
  const needs: Need[] = [];
  for (const { name, optional } of installed.needs) {
    const needed = await findPackage(installed, name);
    if (needed !== undefined) needs.push({ name, package: needed });
    else if (!optional) throw notInstalled(installed, name);
  }
  return needs;
}

/** @returns `undefined` when whoever lies at `parent` finds it already. */
function placeFor(
  placed: ReadonlyMap<string, InstalledPackage>,
  parent: string,
  name: string,
  needed: InstalledPackage,
): string | undefined {
  for (const at of ancestors(parent)) {
    const found = placed.get(under(at, name));
    const isItself = at === "" && placed.get("")?.directory === needed.directory;
    if (isItself || found?.directory === needed.directory) return undefined;
    if (found !== undefined) return under(parent, name); // another version: it would be found first
  }
  return under("", name);
}

/** From the package at `path` outwards to the connector. */
function ancestors(path: string): readonly string[] {
  const all = [path];
  for (let at = path; at !== ""; ) {
    const cut = at.lastIndexOf("node_modules/");
    at = at.slice(0, cut).replace(/\/$/, "");
    all.push(at);
  }
  return all;
}

function under(path: string, name: string): string {
  return path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`;
}

function notInstalled(parent: InstalledPackage, name: string): PackageError {
  return new PackageError(`${parent.name} needs ${name}, which is not installed`, {
    remedy: "run npm install (or pnpm install) in the connector's directory first",
  });
}
