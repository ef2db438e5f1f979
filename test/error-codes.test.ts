import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** The prefix by which codes of plugins are told, and what only tests meet. */
const noCodes = /^PIO_(PLUGIN_|STACK_\w+|KINESIS_DOUBLE_REFUSED)$/;

async function codesIn(folders: readonly string[]): Promise<Set<string>> {
  const codes = new Set<string>();
  for (const folder of folders) {
    for (const name of await readdir(join(root, folder), { recursive: true })) {
      if (!name.endsWith(".ts")) continue;
      const text = await readFile(join(root, folder, name), "utf8");
      for (const [, code = ""] of text.matchAll(/"(PIO_[A-Z_]+)"/g)) if (!noCodes.test(code)) codes.add(code);
    }
  }
  return codes;
}

async function sources(): Promise<string[]> {
  const found: string[] = ["runtime/src"];
  for (const parent of ["packages", "connectors"]) {
    for (const name of await readdir(join(root, parent))) found.push(`${parent}/${name}/src`);
  }
  return found;
}

describe("docs/error-codes.md", () => {
  it("tells of every code that the program has, and of no other", async () => {
    const text = await readFile(join(root, "docs/error-codes.md"), "utf8");
    const told = new Set([...text.matchAll(/`(PIO_[A-Z_]+)`/g)].map(([, code = ""]) => code));
    expect([...told].sort()).toEqual([...(await codesIn(await sources()))].sort());
  });

  it("tells of each of them once", async () => {
    const text = await readFile(join(root, "docs/error-codes.md"), "utf8");
    const told = [...text.matchAll(/`(PIO_[A-Z_]+)`/g)].map(([, code]) => code);
    expect(told.filter((code, index) => told.indexOf(code) !== index)).toEqual([]);
  });
});
