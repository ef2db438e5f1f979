/**
 * `pnpm schemas`: turns every connector's property table into its schema and its type; `--check` only compares.
 *
 * It also compiles the check of schemas themselves, in a workspace that holds this package.
 *
 * Exits 1 on drift, naming the files, and on a defect of a table, naming the row.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { codeOf, remedyOf, toError } from "@pulsar-ts-io/core";
import { compareGeneratedFiles, type GeneratedFile, writeGeneratedFiles } from "../src/index.ts";
import { generateMetaSchemaCheck, metaSchemaCheckFile } from "./meta-schema-check.ts";
import { generateSchemaFiles } from "./schema-files.ts";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    root: { type: "string", default: join(import.meta.dirname, "../../..") },
  },
});

try {
  process.exitCode = values.check ? await check(values.root) : await write(values.root);
} catch (error) {
  process.stderr.write(
    `${toError(error).message} (${codeOf(error) ?? "unexpected"})\n${remedyOf(error) ?? ""}\n`,
  );
  process.exitCode = 1;
}

async function write(root: string): Promise<number> {
  const files = await generateFiles(root);
  const written = await writeGeneratedFiles(root, files);
  for (const path of written) process.stdout.write(`wrote ${path}\n`);
  process.stdout.write(`${files.length - written.length} of ${files.length} files were up to date\n`);
  return 0;
}

async function check(root: string): Promise<number> {
  const files = await generateFiles(root);
  const stale = files.filter(({ upToDate }) => !upToDate);
  for (const { path } of stale) process.stderr.write(`${path} differs from what it is generated from\n`);
  if (stale.length === 0) process.stdout.write(`${files.length} generated files are up to date\n`);
  else process.stderr.write("run `pnpm schemas` and commit what it writes\n");
  return stale.length === 0 ? 0 : 1;
}

async function generateFiles(root: string): Promise<readonly GeneratedFile[]> {
  const files = await generateSchemaFiles(root);
  if (!existsSync(join(root, dirname(metaSchemaCheckFile)))) return files;
  return [
    ...files,
    ...(await compareGeneratedFiles(root, [[metaSchemaCheckFile, generateMetaSchemaCheck()]])),
  ];
}
