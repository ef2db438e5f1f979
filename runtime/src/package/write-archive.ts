import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { create } from "tar";
import { archiveFolder } from "../archive/entry-gate.ts";
import { filesOf } from "./package-files.ts";
import type { PlacedPackage } from "./place-packages.ts";

/** What was written. */
export interface WrittenArchive {
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  readonly files: number;
  /** Modules that were compiled for this machine, or came compiled: their paths in the archive. */
  readonly binaries: readonly string[];
}

/** npm's: the same on every machine, and after 1980, which zip needs. */
const mtime = new Date("1985-10-26T08:15:00.000Z");
/** Which system wrote it, says gzip's header; this: nobody knows. */
const operatingSystemByte = 9;
const unknownSystem = 255;

/**
 * Writes the packages as one archive: the same bytes for the same files, by whomever, whenever and from whatever layout.
 *
 * The archive appears at `path` when it is complete.
 */
export async function writeArchive(
  packages: readonly PlacedPackage[],
  path: string,
): Promise<WrittenArchive> {
  const stage = await mkdtemp(join(tmpdir(), "pulsar-ts-io-package-"));
  const unfinished = `${path}.unfinished`;
  try {
    const files = await copyAll(packages, join(stage, archiveFolder));
    const names = files.map((file) => `${archiveFolder}/${file}`).sort();
    await create(
      {
        file: unfinished,
        cwd: stage,
        gzip: { level: 9 },
        portable: true,
        noDirRecurse: true,
        mtime,
        strict: true,
      },
      names,
    );
    await forgetSystem(unfinished);
    const unpackedBytes = await totalBytes(names.map((name) => join(stage, name)));
    const { size: bytes } = await stat(unfinished);
    const sha256 = await hashOf(unfinished);
    await rename(unfinished, path);
    const binaries = files.filter((file) => file.endsWith(".node")).sort();
    return { path, sha256, bytes, unpackedBytes, files: files.length, binaries };
  } finally {
    await rm(unfinished, { force: true });
    await rm(stage, { recursive: true, force: true });
  }
}

async function copyAll(packages: readonly PlacedPackage[], target: string): Promise<readonly string[]> {
  const all: string[] = [];
  for (const { path, installed } of packages) {
    for (const file of await filesOf(installed)) {
      const place = path === "" ? file : `${path}/${file}`;
      await mkdir(dirname(join(target, place)), { recursive: true });
      await copyFile(join(installed.directory, file), join(target, place), constants.COPYFILE_EXCL);
      await chmod(join(target, place), 0o644);
      all.push(place);
    }
  }
  return all;
}

async function forgetSystem(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[operatingSystemByte] = unknownSystem;
  await writeFile(file, bytes);
}

async function totalBytes(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
