import { basename, join, resolve } from "node:path";
import {
  compareGeneratedFiles,
  type GeneratedFile,
  generateFromTables,
  type Manifest,
  PluginManifestError,
  parseManifest,
  textIfThere,
} from "@pulsar-ts-io/config";
import { PluginNotFoundError } from "../plugin/errors.ts";

/**
 * What the property table in the README.md of `directory` turns into: the schema that the manifest names, and the type of its config.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming the row that is wrong; PluginNotFoundError, PluginManifestError.
 */
export async function schemaFiles(directory: string): Promise<readonly GeneratedFile[]> {
  const { sourceConfigSchema } = await readConnectorManifest(directory);
  const markdown = await textIfThere(join(directory, "README.md"));
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
  return await compareGeneratedFiles(directory, [
    [sourceConfigSchema, schemaText],
    ["src/generated/options.ts", typeScript],
  ]);
}

/**
 * The manifest alone: the schema it names may not be there yet.
 *
 * @throws PluginManifestError (`PIO_PLUGIN_MANIFEST`) when it is not there, and the errors of parseManifest.
 */
export async function readConnectorManifest(directory: string): Promise<Manifest> {
  const packageJson = await textIfThere(join(directory, "package.json"));
  const { pulsarIo }: { readonly pulsarIo?: unknown } = JSON.parse(packageJson ?? "{}");
  const path = join(directory, typeof pulsarIo === "string" ? pulsarIo : "pulsar-io.yaml");
  const text = await textIfThere(path);
  if (text !== undefined) return parseManifest(text, path);
  throw new PluginManifestError(`there is no connector manifest ${path}`, {
    remedy: "run the command in the connector's directory: the one with its package.json and pulsar-io.yaml",
  });
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|[-_.])([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
