import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "@pulsar-ts-io/core";
import { generateFromTables } from "../src/index.ts";

/** A file that a property table turns into. */
export interface GeneratedFile {
  /** Relative to the root of the workspace. */
  readonly path: string;
  readonly text: string;
  /** Whether the file on disk says the same. */
  readonly upToDate: boolean;
}

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

/** Writes what is not up to date. @returns the paths it wrote. */
export async function writeSchemaFiles(
  root: string,
  files: readonly GeneratedFile[],
): Promise<readonly string[]> {
  const stale = files.filter(({ upToDate }) => !upToDate);
  for (const { path, text } of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return stale.map(({ path }) => path);
}

async function filesOf(root: string, name: string): Promise<readonly GeneratedFile[]> {
  const origin = `connectors/${name}/README.md`;
  const title = `${name}-source`;
  const typeName = `${pascalCase(name)}SourceOptions`;
  const markdown = await readFile(join(root, origin), "utf8");
  const { schemaText, typeScript } = await generateFromTables(markdown, { title, typeName, origin });
  const texts = [
    [`connectors/${name}/schemas/${title}.schema.json`, schemaText],
    [`schemas/${title}.schema.json`, schemaText],
    [`connectors/${name}/src/generated/options.ts`, typeScript],
  ] as const;
  return await Promise.all(
    texts.map(async ([path, text]) => ({ path, text, upToDate: (await textOf(join(root, path))) === text })),
  );
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
