import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { list } from "tar";
import { describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/archive/archive-store.ts";
import { readArchivedPackage } from "../../src/archive/read-archived-package.ts";
import { loadSource } from "../../src/plugin/load-source.ts";
import { cli, loadingTime } from "../support/fake-process.ts";

type Tree = Readonly<Record<string, string>>;

/** Says which versions it got: what a wrong layout would change. */
const connector: Tree = {
  "package.json": JSON.stringify({
    name: "@acme/pulsar-io-things",
    version: "2.0.0",
    type: "module",
    pulsarIo: "pulsar-io.yaml",
    files: ["index.js", "pulsar-io.yaml", "schema.json"],
    dependencies: { a: "1", b: "1" },
    peerDependencies: { core: "1", nicety: "1" },
    peerDependenciesMeta: { nicety: { optional: true } },
    devDependencies: { tool: "1" },
  }),
  "pulsar-io.yaml":
    'name: things\ndescription: x\nsourceClass: index.js#Things\nsourceConfigSchema: schema.json\napiVersion: "1"\n',
  "schema.json": '{"type": "object", "properties": {}}',
  "index.js": `
import { a } from "a"; import { b } from "b"; import { core } from "core";
export class Things {
  #lines = [a, b, core];
  open() {}
  read() {
    const line = this.#lines.shift();
    if (line === undefined) throw new Error("that was all");
    return { value: new TextEncoder().encode(line), ack() {} };
  }
  close() {}
}`,
  "notes.txt": "not shipped",
};
const library = (name: string, version: string, needs: string, code: string): Tree => ({
  "package.json": JSON.stringify({
    name,
    version,
    type: "module",
    exports: "./index.js",
    dependencies: needs === "" ? {} : { [needs]: "*" },
  }),
  "index.js": code,
});
/** a needs c of version 1, b needs c of version 2, and both c need the one d, which needs c again. */
const libraries = {
  a: library("a", "1.0.0", "c", 'import { c } from "c"; export const a = "a with " + c();'),
  b: library("b", "1.0.0", "c", 'import { c } from "c"; export const b = "b with " + c();'),
  c1: library("c", "1.0.0", "d", 'import { d } from "d"; export const c = () => "c1 and " + d;'),
  c2: library("c", "2.0.0", "d", 'import { d } from "d"; export const c = () => "c2 and " + d;'),
  d: library("d", "1.0.0", "c", 'import "c"; export const d = "d";'),
  core: library("core", "1.0.0", "", 'export const core = "core";'),
  tool: library("tool", "1.0.0", "", ""),
} as const;

function write(folder: string, tree: Tree): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(tree)) writeFileSync(join(folder, name), text);
  return folder;
}

/** As npm lays packages out. */
function npmLayout(): string {
  const folder = write(mkdtempSync(join(tmpdir(), "npm-")), connector);
  const modules = join(folder, "node_modules");
  for (const name of ["a", "b", "d", "core", "tool"] as const) write(join(modules, name), libraries[name]);
  write(join(modules, "c"), libraries.c1);
  write(join(modules, "b", "node_modules", "c"), libraries.c2);
  return folder;
}

/** As pnpm does: each in a place of its own, with links to what it needs. */
function pnpmLayout(): string {
  const folder = write(mkdtempSync(join(tmpdir(), "pnpm-")), connector);
  const store = join(folder, "node_modules", ".pnpm");
  const home = (id: string, name: string) => join(store, id, "node_modules", name);
  const link = (from: string, to: string) => {
    mkdirSync(dirname(from), { recursive: true });
    symlinkSync(to, from);
  };
  for (const id of ["a", "b", "d", "core", "tool"] as const) write(home(id, id), libraries[id]);
  write(home("c1", "c"), libraries.c1);
  write(home("c2", "c"), libraries.c2);
  link(home("a", "c"), home("c1", "c"));
  link(home("b", "c"), home("c2", "c"));
  link(home("c1", "d"), home("d", "d"));
  link(home("c2", "d"), home("d", "d"));
  link(home("d", "c"), home("c1", "c"));
  for (const id of ["a", "b", "core", "tool"]) link(join(folder, "node_modules", id), home(id, id));
  return folder;
}

async function packed(folder: string): Promise<{ readonly path: string; readonly sha256: string }> {
  const output = mkdtempSync(join(tmpdir(), "packed-"));
  const outcome = await cli(["package", folder, "--output", output, "--json"]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return JSON.parse(outcome.stdout);
}

async function namesIn(archive: string): Promise<readonly string[]> {
  const names: string[] = [];
  await list({ file: archive, onReadEntry: ({ path }) => names.push(path) });
  return names;
}

describe("pulsar-ts-io package", loadingTime, () => {
  it("packs what npm would publish, and all that is needed while it runs", async () => {
    const { path } = await packed(npmLayout());
    expect(path).toMatch(/acme-pulsar-io-things-2\.0\.0\.tgz$/);
    const library = (place: string) => ["index.js", "package.json"].map((name) => `package/${place}/${name}`);
    expect(await namesIn(path)).toEqual(
      [
        ...["index.js", "package.json", "pulsar-io.yaml", "schema.json"].map((name) => `package/${name}`),
        ...library("node_modules/a"),
        ...library("node_modules/b"),
        ...library("node_modules/b/node_modules/c"),
        ...library("node_modules/c"),
        ...library("node_modules/core"),
        ...library("node_modules/d"),
      ].sort(),
    );
  });

  it.each([
    { manager: "npm", layout: npmLayout },
    { manager: "pnpm", layout: pnpmLayout },
  ])("gives each package what it gets now, from the layout of $manager", async ({ layout }) => {
    const { path } = await packed(layout());
    const store = new ArchiveStore(mkdtempSync(join(tmpdir(), "cache-")));
    const source = await loadSource(await readArchivedPackage(path, store));
    const records = [await source.read(), await source.read(), await source.read()];
    expect(records.map(({ value }) => new TextDecoder().decode(value))).toEqual([
      "a with c1 and d",
      "b with c2 and d",
      "core",
    ]);
  });

  it("makes the same bytes of the same files, whatever manager, place, time and mode they have", async () => {
    const first = npmLayout();
    const second = realpathSync(mkdtempSync(join(tmpdir(), "elsewhere-")));
    cpSync(first, second, { recursive: true });
    utimesSync(join(second, "index.js"), new Date(0), new Date(0));
    chmodSync(join(second, "index.js"), 0o755);
    const hashes = [await packed(first), await packed(second), await packed(pnpmLayout())];
    expect(new Set(hashes.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(readFileSync(hashes[0]?.path ?? "").equals(readFileSync(hashes[1]?.path ?? ""))).toBe(true);
  });

  it("says what it wrote", async () => {
    const { code, stdout } = await cli([
      "package",
      npmLayout(),
      "--output",
      mkdtempSync(join(tmpdir(), "out-")),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/connector things 2\.0\.0 with 6 packages that it needs\n {2}16 files, /);
    expect(stdout).toMatch(/sha256 [0-9a-f]{64}\n/);
  });

  it("says that what was compiled may not run elsewhere", async () => {
    const folder = npmLayout();
    writeFileSync(join(folder, "node_modules", "a", "fast.node"), "\u007fELF");
    const output = mkdtempSync(join(tmpdir(), "out-"));
    const { stdout } = await cli(["package", folder, "--output", output]);
    const where = `${process.platform}-${process.arch}`;
    expect(stdout).toContain(`1 compiled, such as node_modules/a/fast.node: it may run on ${where} alone\n`);
    const json = await cli(["package", folder, "--output", output, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ binaries: ["node_modules/a/fast.node"] });
  });

  it("makes the directory that it shall write to, and says when it cannot", async () => {
    const output = join(mkdtempSync(join(tmpdir(), "out-")), "a", "b");
    expect(await cli(["package", npmLayout(), "--output", output])).toMatchObject({ code: 0 });
    const [archive = ""] = readdirSync(output);
    const onFile = await cli(["package", npmLayout(), "--output", join(output, archive)]);
    expect(onFile).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("no archive can be written to"),
    });
  });

  it.each([
    {
      what: "what it needs is not installed",
      harm: (at: string) => rmSync(join(at, "node_modules", "d"), { recursive: true }),
      says: "c needs d, which is not installed",
    },
    {
      what: "its host's contract is not installed",
      harm: (at: string) => rmSync(join(at, "node_modules", "core"), { recursive: true }),
      says: "@acme/pulsar-io-things needs core, which is not installed",
    },
    {
      what: "it is not built",
      harm: (at: string) => rmSync(join(at, "index.js")),
      says: "the connector is not built",
    },
    {
      what: "npm would leave the schema out",
      harm: (at: string) => edit(at, "package.json", ',"schema.json"', ""),
      says: "schema.json cannot be read: no such file",
    },
    {
      what: "npm would leave the code out",
      harm: (at: string) => edit(at, "package.json", '"index.js",', ""),
      says: "the archive lacks index.js",
    },
    {
      what: "its schema is none",
      harm: (at: string) => writeFileSync(join(at, "schema.json"), "{}"),
      says: "describes no properties",
    },
    {
      what: "it is for another version of the contract",
      harm: (at: string) => edit(at, "pulsar-io.yaml", '"1"', '"9"'),
      says: "is written for API version 9, and this runtime speaks 1",
    },
    {
      what: "it has no version",
      harm: (at: string) => edit(at, "package.json", '"version":"2.0.0",', ""),
      says: "lacks name or version",
    },
    {
      what: "a dependency holds a link that leads out",
      harm: (at: string) => symlinkSync("/etc/hostname", join(at, "node_modules", "a", "link.txt")),
      says: "link.txt of a is a link that cannot be shipped",
    },
  ])("refuses, and writes nothing, when $what", async ({ harm, says }) => {
    const folder = npmLayout();
    harm(folder);
    const output = mkdtempSync(join(tmpdir(), "out-"));
    const outcome = await cli(["package", folder, "--output", output]);
    expect(outcome).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining(says) });
    expect(outcome.stderr).toContain("remedy: ");
    expect(readdirSync(output)).toEqual([]);
  });
});

function edit(folder: string, name: string, from: string, to: string): void {
  const path = join(folder, name);
  const before = readFileSync(path, "utf8");
  const after = before.replace(from, to);
  if (after === before) throw new Error(`nothing to change in ${name}`);
  writeFileSync(path, after);
}
