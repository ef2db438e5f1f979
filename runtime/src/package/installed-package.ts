import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "@pulsar-ts-io/core";
import { type NeededPackage, neededPackages } from "../archive/needed-packages.ts";
import { PackageError } from "./errors.ts";

/** A package as it lies on this machine. */
export interface InstalledPackage {
  /** Its own place, whatever links lead there: two packages of one directory are one package. */
  readonly directory: string;
  readonly name: string;
  readonly version: string;
  readonly needs: readonly NeededPackage[];
}

/** @throws PackageError (`PIO_PACKAGE`) when there is no package that can be read. */
export async function readInstalledPackage(directory: string): Promise<InstalledPackage> {
  const path = join(directory, "package.json");
  try {
    const packageJson: unknown = JSON.parse(await readFile(path, "utf8"));
    const text = (field: string) => textOf(packageJson, field);
    return {
      directory: await realpath(directory),
      name: text("name"),
      version: text("version"),
      needs: neededPackages(packageJson),
    };
  } catch (cause) {
    const why = codeOf(cause) === "ENOENT" ? "is not there" : "is no JSON object";
    throw new PackageError(`${path} ${why}`, {
      cause,
      remedy: "run the command in the connector's directory",
    });
  }
}

/**
 * What `parent` gets when it imports `name`: the nearest one in a `node_modules` at or above its own place, as Node looks for it.
 *
 * @returns `undefined` when it is not installed.
 */
export async function findPackage(
  parent: InstalledPackage,
  name: string,
): Promise<InstalledPackage | undefined> {
  for (let at = parent.directory; ; at = dirname(at)) {
    const candidate = join(at, "node_modules", name);
    const isThere = await readFile(join(candidate, "package.json")).then(
      () => true,
      () => false,
    );
    if (isThere) return await readInstalledPackage(candidate);
    if (at === dirname(at)) return undefined;
  }
}

function textOf(packageJson: unknown, field: string): string {
  if (typeof packageJson !== "object" || packageJson === null) throw new TypeError("no object");
  const value: unknown = Reflect.get(packageJson, field);
  return typeof value === "string" ? value : "";
}
