import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { generateSchemaFiles } from "../bin/schema-files.ts";
import { writeGeneratedFiles } from "../src/index.ts";
import { exampleTable } from "./example-table.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "schemas-"));
  await mkdir(join(root, "connectors/old-files"), { recursive: true });
  await writeFile(join(root, "connectors/old-files/README.md"), exampleTable);
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function stale(): Promise<readonly string[]> {
  return (await generateSchemaFiles(root)).filter(({ upToDate }) => !upToDate).map(({ path }) => path);
}

const paths = [
  "connectors/old-files/schemas/old-files-source.schema.json",
  "schemas/old-files-source.schema.json",
  "connectors/old-files/src/generated/options.ts",
];

describe("the generated files", () => {
  it("are those of the tables in this workspace", async () => {
    const files = await generateSchemaFiles(fileURLToPath(new URL("../../..", import.meta.url)));
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(files.filter(({ upToDate }) => !upToDate).map(({ path }) => path)).toEqual([]);
  });

  it("are written once, and then only when the table has changed", async () => {
    expect(await writeGeneratedFiles(root, await generateSchemaFiles(root))).toEqual(paths);
    expect(await stale()).toEqual([]);
    expect(await writeGeneratedFiles(root, await generateSchemaFiles(root))).toEqual([]);
    await writeFile(
      join(root, "connectors/old-files/README.md"),
      exampleTable.replace("How often", "How many times"),
    );
    expect(await stale()).toEqual(paths);
  });

  it("are named one by one when someone has edited them", async () => {
    await writeGeneratedFiles(root, await generateSchemaFiles(root));
    const [edited = ""] = paths;
    await writeFile(join(root, edited), `${await readFile(join(root, edited), "utf8")}\n`);
    expect(await stale()).toEqual([edited]);
  });

  it("name the type after the connector", async () => {
    const files = await generateSchemaFiles(root);
    expect(files[2]?.text).toContain("export interface OldFilesSourceOptions {");
  });
});
