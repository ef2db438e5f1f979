import { readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { type Manifest, PluginManifestError, parseManifest } from "@pulsar-ts-io/config";
import { codeOf } from "@pulsar-ts-io/core";
import { PluginNotFoundError, PluginSchemaError } from "./errors.ts";

/** A connector as its files describe it. None of its code has run. */
export interface ConnectorPackage {
  /** Absolute. */
  readonly directory: string;
  /** The version in its package.json; `undefined` when it states none. */
  readonly version: string | undefined;
  readonly manifest: Manifest;
  /** The JSON Schema of its configuration. */
  readonly schema: ConfigSchema;
}

export type ConfigSchema = Readonly<Record<string, unknown>>;

/**
 * Reads what the package in `directory` says about itself: package.json, manifest, schema.
 *
 * @param origin what errors call the directory, such as the archive it was unpacked from.
 * @throws PluginNotFoundError when there is no such directory or it holds no package.json.
 * @throws PluginManifestError, PluginApiVersionError, PluginSchemaError for what it says.
 */
export async function readConnectorPackage(
  directory: string,
  origin: string = directory,
): Promise<ConnectorPackage> {
  const { manifest, version } = await readConnectorManifest(directory, origin);
  return {
    directory,
    version,
    manifest,
    schema: await readSchema({ directory, origin }, manifest.sourceConfigSchema),
  };
}

/**
 * Reads package.json and manifest alone: the schema that the manifest names may not be there yet.
 *
 * @throws PluginNotFoundError when there is no such directory or it holds no package.json.
 * @throws PluginManifestError, PluginApiVersionError for what they say.
 */
export async function readConnectorManifest(
  directory: string,
  origin: string = directory,
): Promise<Pick<ConnectorPackage, "manifest" | "version">> {
  const packageJson = await readPackageJson({ directory, origin });
  const manifestName = packageJson["pulsarIo"];
  if (typeof manifestName !== "string" || manifestName === "") {
    throw new PluginManifestError(`${join(origin, "package.json")} names no connector manifest`, {
      remedy: 'add "pulsarIo": "pulsar-io.yaml" to the package.json of the connector',
    });
  }
  const manifestPath = join(origin, manifestName);
  const text = await readText(inside(directory, manifestName, "pulsarIo", origin), (cause) => {
    throw new PluginManifestError(`the connector manifest ${manifestPath} cannot be read: ${reason(cause)}`, {
      cause,
      remedy: "put the manifest where the pulsarIo field of package.json says it is",
    });
  });
  const version = packageJson["version"];
  return {
    manifest: parseManifest(text, manifestPath),
    version: typeof version === "string" ? version : undefined,
  };
}

/**
 * The absolute path of `file` within `directory`.
 *
 * @throws PluginManifestError when it lies outside: a connector's files are its own.
 */
export function inside(directory: string, file: string, field: string, origin: string = directory): string {
  const path = resolve(directory, file);
  const way = relative(directory, path);
  if (way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) {
    throw new PluginManifestError(`${field} of the connector in ${origin} leaves its directory: ${file}`, {
      remedy: `name a file inside the package in ${field}`,
    });
  }
  return path;
}

/** Where a package lies, and what errors call it. */
interface Place {
  readonly directory: string;
  readonly origin: string;
}

async function readPackageJson({ directory, origin }: Place): Promise<Record<string, unknown>> {
  const path = join(origin, "package.json");
  const text = await readText(join(directory, "package.json"), async (cause) => {
    const found = await stat(directory).catch(() => undefined);
    const what = found === undefined ? `there is nothing at ${origin}` : `${origin} has no package.json`;
    throw new PluginNotFoundError(what, {
      cause,
      remedy: "give the directory of a connector: the one with its package.json",
    });
  });
  try {
    return toObject(JSON.parse(text));
  } catch (cause) {
    throw new PluginManifestError(`${path} is not a JSON object: ${reason(cause)}`, {
      cause,
      remedy: `correct ${basename(path)} of the connector`,
    });
  }
}

async function readSchema({ directory, origin }: Place, file: string): Promise<ConfigSchema> {
  const path = join(origin, file);
  const text = await readText(inside(directory, file, "sourceConfigSchema", origin), (cause) => {
    throw new PluginSchemaError(`the configuration schema ${path} cannot be read: ${reason(cause)}`, {
      cause,
      remedy:
        "generate the schema before the connector is used, or correct sourceConfigSchema in its manifest",
    });
  });
  try {
    return toObject(JSON.parse(text));
  } catch (cause) {
    throw new PluginSchemaError(`the configuration schema ${path} is not a JSON Schema: ${reason(cause)}`, {
      cause,
      remedy: "generate the schema of the connector again",
    });
  }
}

async function readText(
  path: string,
  onFailure: (cause: unknown) => Promise<never> | never,
): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    return onFailure(cause);
  }
}

function toObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError("it holds no object");
  return { ...value };
}

function reason(cause: unknown): string {
  if (codeOf(cause) === "ENOENT") return "no such file";
  if (codeOf(cause) === "EISDIR") return "it is a directory";
  return cause instanceof Error ? cause.message : String(cause);
}
