import { basename, join, resolve } from "node:path";
import {
  compareGeneratedFiles,
  type GeneratedFile,
  generateFromTables,
  textIfThere,
} from "@pulsar-ts-io/config";
import { readConnectorManifest } from "../plugin/connector-package.ts";
import { PluginNotFoundError } from "../plugin/errors.ts";

/**
 * What the property table in the README.md of `directory` turns into: the schema that the manifest names, and the type of its config.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming the row that is wrong; PluginNotFoundError, PluginManifestError.
 */
export async function schemaFiles(directory: string): Promise<readonly GeneratedFile[]> {
  const { manifest } = await readConnectorManifest(directory);
  const { sourceConfigSchema } = manifest;
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

function pascalCase(name: string): string {
  return name.replace(/(?:^|[-_.])([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
