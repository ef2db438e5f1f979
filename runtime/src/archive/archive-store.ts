import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { codeOf } from "@pulsar-ts-io/core";
import { PluginArchiveError } from "../plugin/errors.ts";
import { type ArchiveLimits, archiveFolder, defaultArchiveLimits } from "./entry-gate.ts";
import { ownUserId } from "./own-user-id.ts";

/** Lists what was unpacked: whoever finds less than that unpacks again. */
const inventoryName = "inventory.json";
const unfinished = ".unfinished-";
/** Nobody unpacks that long: what is older was left behind by a process that was killed. */
const abandonedMs = 3_600_000;
const privateMode = 0o700;

/** Size in bytes of each file, by its path. */
type Inventory = Readonly<Record<string, number>>;

/**
 * Unpacked archives, each in a directory that is named after the SHA-256 of its file.
 *
 * A directory appears under that name complete or not at all, so that any number of processes may share a store, and one that is
 * killed leaves nothing that another takes for a connector.
 */
export class ArchiveStore {
  readonly #directory: string;
  readonly #limits: ArchiveLimits;

  /** @param directory made when it is not there; it must be the user's own, and writable for nobody else. */
  constructor(directory: string, limits: ArchiveLimits = defaultArchiveLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /**
   * The directory of the package in `archive`, unpacked now or before.
   *
   * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) when it is refused, damaged or not there.
   */
  async open(archive: string): Promise<string> {
    await this.#refuseEndless(archive);
    await this.#prepare();
    const known = join(this.#directory, await hashOf(archive));
    if (await isComplete(known)) return join(known, archiveFolder);
    await this.#removeAbandoned();
    return join(await this.#unpack(archive), archiveFolder);
  }

  async #unpack(archive: string): Promise<string> {
    const fresh = join(this.#directory, unfinished + randomBytes(8).toString("hex"));
    await mkdir(join(fresh, archiveFolder), { recursive: true, mode: privateMode });
    try {
      // Only whoever has an archive pays for loading the library.
      const { unpackArchive } = await import("./unpack-archive.ts");
      // By the bytes that were unpacked: the file may have been replaced since it was looked at.
      const target = join(this.#directory, await unpackArchive(archive, fresh, this.#limits));
      await writeFile(
        join(fresh, inventoryName),
        JSON.stringify(await inventoryOf(join(fresh, archiveFolder))),
      );
      await this.#publish(fresh, target);
      return target;
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }

  /** Another process may have been faster, or something may have deleted files of what was unpacked long ago. */
  async #publish(fresh: string, target: string): Promise<void> {
    for (;;) {
      try {
        return await rename(fresh, target);
      } catch (error) {
        if (!["ENOTEMPTY", "EEXIST", "EPERM"].includes(codeOf(error) ?? "")) throw error;
        if (await isComplete(target)) return;
        const aside = join(this.#directory, unfinished + randomBytes(8).toString("hex"));
        await rename(target, aside).catch(unlessGone);
        await rm(aside, { recursive: true, force: true });
      }
    }
  }

  async #refuseEndless(archive: string): Promise<void> {
    const { maxArchiveBytes } = this.#limits;
    const found = await stat(archive).catch(() => undefined);
    if (found === undefined) {
      throw new PluginArchiveError(`there is no archive ${archive}`, { remedy: "correct the path" });
    }
    if (!found.isFile()) {
      throw new PluginArchiveError(`the archive ${archive} is refused: it is no file`, {
        remedy: "give the .tgz that `pulsar-ts-io package` made", // what is read from a pipe or a device may never end
      });
    }
    if (found.size <= maxArchiveBytes) return;
    throw new PluginArchiveError(
      `the archive ${archive} is refused: it has more than ${maxArchiveBytes} bytes`,
      {
        remedy: "leave out of the package what the connector does not need",
      },
    );
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: privateMode }).catch((cause: unknown) => {
      throw new PluginArchiveError(`archives cannot be unpacked in ${this.#directory}: ${codeOf(cause)}`, {
        cause,
        remedy: "name a directory that can be written to in PULSAR_TS_IO_CACHE",
      });
    });
    const found = await lstat(this.#directory);
    if (!found.isDirectory() || !isOurs(found)) {
      throw new PluginArchiveError(
        `others may write to ${this.#directory}, so that nothing is unpacked there`,
        {
          remedy: "name a directory of your own in PULSAR_TS_IO_CACHE",
        },
      );
    }
    await refuseForeignModules(this.#directory);
  }

  async #removeAbandoned(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => name.startsWith(unfinished));
    for (const path of names.map((name) => join(this.#directory, name))) {
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > abandonedMs) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }
}

/** Node looks for packages in the `node_modules` of every directory above: nobody else may put any there. */
async function refuseForeignModules(directory: string): Promise<void> {
  for (let above = dirname(directory); above !== dirname(above); above = dirname(above)) {
    const modules = join(above, "node_modules");
    const found = await stat(modules).catch(() => undefined);
    if (found === undefined || isOurs(found)) continue;
    if (found.uid === 0 && (found.mode & 0o022) === 0) continue;
    throw new PluginArchiveError(`connectors in ${directory} would load what others put into ${modules}`, {
      remedy: "name a directory outside of it in PULSAR_TS_IO_CACHE",
    });
  }
}

function isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
  const self = ownUserId();
  return self === undefined || (uid === self && (mode & 0o022) === 0);
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

async function inventoryOf(folder: string): Promise<Inventory> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(
    paths.map(async (path) => [path.slice(folder.length + 1), (await stat(path)).size] as const),
  );
  return Object.fromEntries(sizes);
}

/** Whether all files are there: directories of temporary files are swept by age, file by file. */
async function isComplete(directory: string): Promise<boolean> {
  const files = Object.entries(await readInventory(directory));
  if (files.length === 0) return false;
  const found = await Promise.all(
    files.map(([path]) => stat(join(directory, archiveFolder, path)).catch(() => undefined)),
  );
  return files.every(([, size], index) => found[index]?.size === size);
}

/** Empty when there is none, or when the machine stopped before it was on disk. */
async function readInventory(directory: string): Promise<Inventory> {
  try {
    // Written by #unpack, and nobody else may write here.
    return JSON.parse(await readFile(join(directory, inventoryName), "utf8")) as Inventory;
  } catch {
    return {};
  }
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}
