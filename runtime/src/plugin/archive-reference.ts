import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PluginArchiveError } from "./errors.ts";

/** Which connector is meant: by the name in its manifest, or by where it lies. */
export type ConnectorReference =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "path"; readonly path: string };

/** What lies at a path. */
export type ConnectorLocation =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "archive"; readonly path: string };

/**
 * Reads the text of `--archive`: `builtin://name`, `file://…`, or a path.
 *
 * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) for what is no connector of this runtime.
 */
export function parseArchive(archive: string): ConnectorReference {
  if (archive.startsWith("builtin://")) return { kind: "name", name: archive.slice("builtin://".length) };
  if (archive.startsWith("file://")) return { kind: "path", path: filePath(archive) };
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(archive)?.[1];
  if (scheme !== undefined) {
    throw new PluginArchiveError(`an archive cannot be fetched from a ${scheme}:// address: ${archive}`, {
      remedy: "download it first, and give the path of the file",
    });
  }
  return { kind: "path", path: archive };
}

/**
 * What lies at `path`, by its name where that says enough.
 *
 * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) for a Java archive and for other files.
 */
export async function locateConnector(path: string): Promise<ConnectorLocation> {
  const absolute = resolve(path);
  if (isJavaArchive(absolute)) {
    throw new PluginArchiveError(`${path} is a Java archive, which this runtime cannot run`, {
      remedy:
        "use the connector of the same name written for pulsar-ts-io: see `pulsar-ts-io connectors list`",
    });
  }
  const found = await stat(absolute).catch(() => undefined);
  if (isArchive(absolute) && found?.isDirectory() !== true) return { kind: "archive", path: absolute };
  if (found?.isFile() === true) {
    throw new PluginArchiveError(`${path} is neither an archive of a connector nor its directory`, {
      remedy:
        "give the .tgz that `pulsar-ts-io package` made, or the directory with the connector's package.json",
    });
  }
  return { kind: "directory", path: absolute };
}

export function isArchive(file: string): boolean {
  return /\.(tgz|tar\.gz)$/i.test(file);
}

export function isJavaArchive(file: string): boolean {
  return /\.(nar|jar)$/i.test(file);
}

function filePath(address: string): string {
  try {
    return fileURLToPath(address);
  } catch (cause) {
    throw new PluginArchiveError(`${address} names no file of this machine`, {
      cause,
      remedy: "write it as in file:///path/to/connector.tgz, or give the path alone",
    });
  }
}
