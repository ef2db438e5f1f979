import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/archive/archive-store.ts";
import { parseArchive } from "../../src/plugin/archive-reference.ts";
import { loadSource } from "../../src/plugin/load-source.ts";
import { PluginHost } from "../../src/plugin/plugin-host.ts";
import { fixture } from "../support/fake-process.ts";
import { connectorFiles, writeArchive } from "../support/tar-file.ts";

const fixtures = new PluginHost({ builtIns: [], connectorsDirectory: fixture("") });

function emptyDirectory(): string {
  return mkdtempSync(join(tmpdir(), "connectors-"));
}

describe("PluginHost", () => {
  it("knows a built-in connector by the name in its manifest", async () => {
    const [listing] = await new PluginHost().list();
    if (listing?.kind !== "usable") throw new Error("the built-in connector is broken");
    const { name } = listing.connector.manifest;
    expect(await new PluginHost().find({ kind: "name", name })).toEqual(listing.connector);
  });

  it("lists a built-in connector that is not installed, with what to do", async () => {
    const [listing] = await new PluginHost({ builtIns: ["@nobody/connector-of-nothing"] }).list();
    expect(listing).toMatchObject({
      kind: "broken",
      origin: "@nobody/connector-of-nothing",
      error: { code: "PIO_PLUGIN_NOT_FOUND", remedy: "install it: npm install @nobody/connector-of-nothing" },
    });
  });

  it("finds a connector by name and by path, without running its code", async () => {
    const byName = await fixtures.find({ kind: "name", name: "throws-on-load" });
    const byPath = await fixtures.find({ kind: "path", path: fixture("throws-on-load") });
    expect(byName).toEqual(byPath);
    expect(byName).toMatchObject({ version: "1.2.3", manifest: { name: "throws-on-load" } });
  });

  it("lists the connectors there are when a name is none of them", async () => {
    const error = fixtures.find({ kind: "name", name: "godo" });
    await expect(error).rejects.toMatchObject({ code: "PIO_PLUGIN_NOT_FOUND" });
    await expect(error).rejects.toThrow(
      /invalid source type 'godo' -- available sources are: \[.*good.*\]; broken: /,
    );
  });

  it("names both places when two connectors have one name", async () => {
    const directory = emptyDirectory();
    for (const name of ["one", "two"]) cpSync(fixture("good"), join(directory, name), { recursive: true });
    const host = new PluginHost({ builtIns: [], connectorsDirectory: directory });
    const error = host.find({ kind: "name", name: "good" });
    await expect(error).rejects.toThrow(
      `two connectors are called good: ${join(directory, "one")} and ${join(directory, "two")}`,
    );
  });

  it("finds the archives in a connectors directory by the names in their manifests", async () => {
    const directory = emptyDirectory();
    writeArchive(directory, connectorFiles());
    const archives = new ArchiveStore(join(directory, "cache"));
    const host = new PluginHost({ builtIns: [], connectorsDirectory: directory, archives });
    expect(await host.find({ kind: "name", name: "packed" })).toMatchObject({ version: "1.2.3" });
    cpSync(fixture("good"), join(directory, "good"), { recursive: true });
    writeFileSync(
      join(directory, "good", "pulsar-io.yaml"),
      readFileSync(fixture("good/pulsar-io.yaml"), "utf8").replace("name: good", "name: packed"),
    );
    await expect(host.find({ kind: "name", name: "packed" })).rejects.toThrow(
      `two connectors are called packed: ${join(directory, "connector.tgz")} and ${join(directory, "good")}`,
    );
  });

  it("finds the connectors that are installed, once each, here and above", async () => {
    const directory = emptyDirectory();
    const modules = join(directory, "node_modules");
    const inner = join(directory, "packages", "app");
    cpSync(fixture("good"), join(modules, "@someone", "good"), { recursive: true });
    mkdirSync(join(inner, "node_modules"), { recursive: true });
    symlinkSync(join(modules, "@someone", "good"), join(inner, "node_modules", "good"));
    cpSync(fixture("broken-manifest"), join(modules, "broken"), { recursive: true });
    mkdirSync(join(modules, "left-pad"));
    writeFileSync(join(modules, "left-pad", "package.json"), '{"name": "left-pad"}');
    const host = new PluginHost({ builtIns: [], installedFor: [inner] });
    expect((await host.list()).map(({ kind, origin }) => [kind, origin])).toEqual([
      ["broken", join(modules, "broken")],
      ["usable", join(inner, "node_modules", "good")],
    ]);
    expect(await host.find({ kind: "name", name: "good" })).toMatchObject({ manifest: { name: "good" } });
  });

  it("lists a Java archive as broken, and says what it is", async () => {
    const directory = emptyDirectory();
    writeFileSync(join(directory, "pulsar-io-data.nar"), "");
    const [listing] = await new PluginHost({ builtIns: [], connectorsDirectory: directory }).list();
    expect(listing).toMatchObject({
      kind: "broken",
      error: { message: expect.stringContaining("pulsar-io-data.nar is a Java archive") },
    });
  });

  it("lists a connector as broken whose schema is none", async () => {
    const directory = emptyDirectory();
    cpSync(fixture("good"), join(directory, "good"), { recursive: true });
    writeFileSync(join(directory, "good", "schema.json"), '{"type": 7, "properties": {}}');
    const [listing] = await new PluginHost({ builtIns: [], connectorsDirectory: directory }).list();
    expect(listing).toMatchObject({ kind: "broken", error: { code: "PIO_PLUGIN_SCHEMA" } });
  });

  it("passes over files in a connectors directory", async () => {
    const directory = emptyDirectory();
    writeFileSync(join(directory, "README.md"), "not a connector");
    expect(await new PluginHost({ builtIns: [], connectorsDirectory: directory }).list()).toEqual([]);
  });

  it("refuses a file, and a directory without package.json", async () => {
    const directory = emptyDirectory();
    const archive = join(directory, "connector.zip");
    writeFileSync(archive, "");
    mkdirSync(join(directory, "empty"));
    await expect(fixtures.find({ kind: "path", path: archive })).rejects.toMatchObject({
      code: "PIO_PLUGIN_ARCHIVE",
    });
    const empty = fixtures.find({ kind: "path", path: join(directory, "empty") });
    await expect(empty).rejects.toThrow("has no package.json");
  });

  it.each(["../outside.yaml", "..", "/etc/hostname", "."])(
    "refuses a manifest outside the package: %s",
    async (path) => {
      const directory = emptyDirectory();
      writeFileSync(join(directory, "package.json"), JSON.stringify({ pulsarIo: path }));
      const found = fixtures.find({ kind: "path", path: directory });
      await expect(found).rejects.toThrow("leaves its directory");
    },
  );
});

describe("parseArchive", () => {
  it.each([
    ["builtin://data", { kind: "name", name: "data" }],
    ["file:///a/b%20c", { kind: "path", path: "/a/b c" }],
    ["./here", { kind: "path", path: "./here" }],
    ["C:\\here", { kind: "path", path: "C:\\here" }],
  ])("understands %s", (text, reference) => {
    expect(parseArchive(text)).toEqual(reference);
  });

  it.each([
    "file://elsewhere/x.tgz",
    "http://x/y.nar",
    "https://x/y",
    "function://a/b/c@1",
    "source://a/b/c",
  ])("refuses %s", (text) => {
    expect(() => parseArchive(text)).toThrow(expect.objectContaining({ code: "PIO_PLUGIN_ARCHIVE" }));
  });
});

describe("loadSource", () => {
  it("makes the source that the manifest names", async () => {
    const connector = await fixtures.find({ kind: "name", name: "good" });
    const source = await loadSource(connector);
    expect(typeof source.open).toBe("function");
    expect(await loadSource(connector)).not.toBe(source);
  });

  it("keeps the cause of a module that throws", async () => {
    const connector = await fixtures.find({ kind: "name", name: "throws-on-load" });
    const error = loadSource(connector);
    await expect(error).rejects.toMatchObject({
      code: "PIO_PLUGIN_LOAD",
      cause: expect.objectContaining({ message: "this module cannot be loaded" }),
    });
  });

  it("says that a connector is not built when its module is not there", async () => {
    const connector = await fixtures.find({ kind: "name", name: "good" });
    const sourceClass = { file: "dist/index.js", exportName: "FixtureSource" };
    const unbuilt = { ...connector, manifest: { ...connector.manifest, sourceClass } };
    await expect(loadSource(unbuilt)).rejects.toMatchObject({
      code: "PIO_PLUGIN_LOAD",
      remedy: "build the connector, or correct sourceClass in its manifest",
    });
  });
});
