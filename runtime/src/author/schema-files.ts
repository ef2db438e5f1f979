import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { generateFromTables, type Manifest, PluginManifestError, parseManifest } from "@pulsar-ts-io/config";
import { PluginNotFoundError } from "../plugin/errors.ts";

/** A file that the property table of a connector turns into. */
export interface SchemaFile {
  /** Relative to the connector. */
  readonly path: string;
  readonly text: string;
  /** Whether the file on disk says the same. */
  readonly upToDate: boolean;
}

/**
 * What the property table in the README.md of `directory` turns into: the schema that the manifest names, and the type of its config.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming the row that is wrong; PluginNotFoundError, PluginManifestError.
 */
export async function schemaFiles(directory: string): Promise<readonly SchemaFile[]> {
  const { sourceConfigSchema } = await readConnectorManifest(directory);
  const markdown = await textOf(join(directory, "README.md"));
  if (markdown === undefined) {
    throw new PluginNotFoundError(`${resolve(directory)} has no README.md`, {
      remedy: "describe the settings of the connector in the property table of one",
    });
  }
  const title = basename(sourceConfigSchema).replace(/(\.schema)?\.json$/, "");
  const { schemaText, typeScript } = await generateFromTables(markdown, {
    title,
    typeName: `${pascalCase(title)}Options`,
    origin: "README.md",
    command: "pulsar-ts-io schema",
  });
  const texts = [
    [sourceConfigSchema, schemaText],
    ["src/generated/options.ts", typeScript],
  ] as const;
  return await Promise.all(
    texts.map(async ([path, text]) => ({
      path,
      text,
      upToDate: (await textOf(join(directory, path))) === text,
    })),
  );
}

/** Writes what is not up to date. @returns the paths it wrote. */
export async function writeSchemaFiles(
  directory: string,
  files: readonly SchemaFile[],
): Promise<readonly string[]> {
  const stale = files.filter(({ upToDate }) => !upToDate);
  for (const { path, text } of stale) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return stale.map(({ path }) => path);
}

/**
 * The manifest alone: the schema it names may not be there yet.
 *
 * @throws PluginManifestError (`PIO_PLUGIN_MANIFEST`) when it is not there, and the errors of parseManifest.
 */
export async function readConnectorManifest(directory: string): Promise<Manifest> {
  const packageJson = await textOf(join(directory, "package.json"));
  const { pulsarIo }: { readonly pulsarIo?: unknown } = JSON.parse(packageJson ?? "{}");
  const path = join(directory, typeof pulsarIo === "string" ? pulsarIo : "pulsar-io.yaml");
  const text = await textOf(path);
  if (text !== undefined) return parseManifest(text, path);
  throw new PluginManifestError(`there is no connector manifest ${path}`, {
    remedy: "run the command in the connector's directory: the one with its package.json and pulsar-io.yaml",
  });
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|[-_.])([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch(() => undefined);
}
