import { constants } from "node:fs";
import { access, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { codeOf } from "@pulsar-ts-io/core";
import { ArchiveStore } from "../archive/archive-store.ts";
import { readArchivedPackage } from "../archive/read-archived-package.ts";
import { checkSchema } from "../plugin/check-schema.ts";
import { type ConnectorPackage, inside, readConnectorPackage } from "../plugin/connector-package.ts";
import { PackageError } from "./errors.ts";
import { readInstalledPackage } from "./installed-package.ts";
import { placePackages } from "./place-packages.ts";
import { type WrittenArchive, writeArchive } from "./write-archive.ts";

/** An archive that was written, and read back. */
export interface PackagedConnector extends WrittenArchive {
  readonly connector: ConnectorPackage;
  /** Packages in it besides the connector's own. */
  readonly dependencies: number;
}

/**
 * Packs the connector of `directory` with all that it needs, and reads the archive back as a user's `--archive` will.
 *
 * Runs no code of the connector, and none of its scripts.
 *
 * @param outputDirectory where the archive is written, named as npm would name it; made when it is not there.
 * @throws PackageError (`PIO_PACKAGE`) when something is missing, and the errors of the plugin host for manifest and schema.
 */
export async function packageConnector(
  directory: string,
  outputDirectory: string,
): Promise<PackagedConnector> {
  const connector = await readConnectorPackage(resolve(directory));
  checkSchema(connector);
  await refuseUnbuilt(connector);
  const own = await readInstalledPackage(connector.directory);
  if (own.name === "" || own.version === "") {
    throw new PackageError(`the package.json of ${connector.directory} lacks name or version`, {
      remedy: "add both: the archive is named after them",
    });
  }
  const packages = await placePackages(own);
  const fileName = `${own.name.replace(/^@/, "").replace("/", "-")}-${own.version}.tgz`;
  const written = await writeArchive(packages, join(await usableDirectory(outputDirectory), fileName));
  await readBack(written.path);
  return { ...written, connector, dependencies: packages.length - 1 };
}

/** @returns its absolute path; it is made when it is not there. */
async function usableDirectory(directory: string): Promise<string> {
  const path = resolve(directory);
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
    return path;
  } catch (cause) {
    throw new PackageError(`no archive can be written to ${path}: ${codeOf(cause)}`, {
      cause,
      remedy: "name a directory that this user may write to with --output",
    });
  }
}

async function refuseUnbuilt({ directory, manifest }: ConnectorPackage): Promise<void> {
  const module = inside(directory, manifest.sourceClass.file, "sourceClass");
  const found = await stat(module).catch(() => undefined);
  if (found?.isFile() === true) return;
  throw new PackageError(`the connector is not built: ${module} is not there`, {
    remedy: "run npm run build first, or correct sourceClass in its manifest",
  });
}

/** What npm leaves out, such as a schema that `files` does not name, shows here rather than at a user's. */
async function readBack(archive: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-archive-"));
  try {
    const { directory, manifest } = await readArchivedPackage(archive, new ArchiveStore(folder));
    if (await stat(inside(directory, manifest.sourceClass.file, "sourceClass")).catch(() => undefined))
      return;
    throw new PackageError(`the archive lacks ${manifest.sourceClass.file}, which the manifest names`, {
      remedy: "add it to the files field of package.json",
    });
  } catch (error) {
    await rm(archive, { force: true });
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
