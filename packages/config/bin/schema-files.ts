import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { compareGeneratedFiles, type GeneratedFile, generateFromTables } from "../src/index.ts";

/**
 * What the property tables of all `connectors/<name>/README.md` turn into: the schema, twice, and the TypeScript type.
 *
 * @throws PropertyTableError (`PIO_PROPERTY_TABLE`) naming the row that is wrong.
 */
export async function generateSchemaFiles(root: string): Promise<readonly GeneratedFile[]> {
  const entries = await readdir(join(root, "connectors"), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return (await Promise.all(names.sort().map((name) => filesOf(root, name)))).flat();
}

async function filesOf(root: string, name: string): Promise<readonly GeneratedFile[]> {
  const origin = `connectors/${name}/README.md`;
  const title = `${name}-source`;
  const typeName = `${pascalCase(name)}SourceOptions`;
  const markdown = await readFile(join(root, origin), "utf8");
  const { schemaText, typeScript } = await generateFromTables(markdown, { title, typeName, origin });
  return await compareGeneratedFiles(root, [
    [`connectors/${name}/schemas/${title}.schema.json`, schemaText],
    [`schemas/${title}.schema.json`, schemaText],
    [`connectors/${name}/src/generated/options.ts`, typeScript],
  ]);
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
