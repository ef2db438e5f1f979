/**
 * `pnpm schemas`: turns every connector's property table into its schema and type; `--check` only compares.
 *
 * Reads `connectors/<name>/README.md`. Writes `connectors/<name>/schemas/<name>-source.schema.json`, the same file under
 * `schemas/`, and `connectors/<name>/src/generated/options.ts`. Exits 1 on drift or on a defect of a table.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { codeOf, remedyOf, toError } from "@pulsar-ts-io/core";
import { generateFromTables } from "../src/index.ts";

interface GeneratedFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    root: { type: "string", default: join(import.meta.dirname, "../../..") },
  },
});

try {
  process.exitCode = await main(values.root, values.check);
} catch (error) {
  const code = codeOf(error) ?? "unexpected";
  process.stderr.write(`${toError(error).message} (${code})\n${remedyOf(error) ?? ""}\n`);
  process.exitCode = 1;
}

async function main(root: string, check: boolean): Promise<number> {
  const files = (await Promise.all((await connectors(root)).map((name) => generate(root, name)))).flat();
  const stale: GeneratedFile[] = [];
  for (const file of files) if ((await textOf(join(root, file.path))) !== file.text) stale.push(file);
  if (check) return report(stale, files.length);
  for (const { path, text } of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
  process.stdout.write(`${files.length - stale.length} of ${files.length} files were up to date\n`);
  return 0;
}

function report(stale: readonly GeneratedFile[], count: number): number {
  for (const { path } of stale) process.stderr.write(`${path} differs from its property table\n`);
  if (stale.length === 0) process.stdout.write(`${count} generated files are up to date\n`);
  else process.stderr.write("run pnpm schemas and commit what it writes\n");
  return stale.length === 0 ? 0 : 1;
}

async function connectors(root: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, "connectors"), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return names.sort();
}

async function generate(root: string, name: string): Promise<readonly GeneratedFile[]> {
  const origin = `connectors/${name}/README.md`;
  const markdown = await readFile(join(root, origin), "utf8");
  const title = `${name}-source`;
  const { schemaText, typeScript } = await generateFromTables(markdown, {
    title,
    typeName: `${pascalCase(name)}SourceOptions`,
    origin,
  });
  return [
    { path: `connectors/${name}/schemas/${title}.schema.json`, text: schemaText },
    { path: `schemas/${title}.schema.json`, text: schemaText },
    { path: `connectors/${name}/src/generated/options.ts`, text: typeScript },
  ];
}

function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_match, _dash, letter: string) => letter.toUpperCase());
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
