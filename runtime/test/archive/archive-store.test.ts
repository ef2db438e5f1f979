import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ArchiveStore } from "../../src/archive/archive-store.ts";
import { defaultArchiveDirectory } from "../../src/archive/default-archive-directory.ts";
import { connectorFiles, writeArchive } from "../support/tar-file.ts";

function stage(): { readonly folder: string; readonly archive: string; readonly cache: string } {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  return { folder, archive: writeArchive(folder, connectorFiles()), cache: join(folder, "cache") };
}

describe("ArchiveStore", () => {
  it("unpacks an archive once, into a directory named after its content, for its user alone", async () => {
    const { archive, cache } = stage();
    const directory = await new ArchiveStore(cache).open(archive);
    expect(basename(dirname(directory))).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(cache).mode & 0o777).toBe(0o700);
    const { ino } = statSync(join(directory, "index.js"));
    expect(await new ArchiveStore(cache).open(archive)).toBe(directory);
    expect(statSync(join(directory, "index.js")).ino).toBe(ino);
  });

  it("unpacks another content beside it", async () => {
    const { archive, cache, folder } = stage();
    const store = new ArchiveStore(cache);
    const first = await store.open(archive);
    writeArchive(folder, connectorFiles({ "more.txt": "x" }));
    expect(await store.open(archive)).not.toBe(first);
  });

  it("gives all who ask at the same time the same complete directory", async () => {
    const { archive, cache } = stage();
    const opened = await Promise.all(Array.from({ length: 20 }, () => new ArchiveStore(cache).open(archive)));
    expect(new Set(opened).size).toBe(1);
    expect(readdirSync(cache)).toHaveLength(1);
    expect(readFileSync(join(opened[0] ?? "", "pulsar-io.yaml"), "utf8")).toContain("name: packed");
  });

  it.each([
    { what: "a file was swept away", harm: (at: string) => rmSync(join(at, "package", "index.js")) },
    {
      what: "a file was cut short",
      harm: (at: string) => writeFileSync(join(at, "package", "index.js"), ""),
    },
    {
      what: "its list never got to disk",
      harm: (at: string) => writeFileSync(join(at, "inventory.json"), ""),
    },
  ])("unpacks again when $what", async ({ harm }) => {
    const { archive, cache } = stage();
    const store = new ArchiveStore(cache);
    const directory = await store.open(archive);
    const before = readFileSync(join(directory, "index.js"), "utf8");
    harm(dirname(directory));
    expect(await store.open(archive)).toBe(directory);
    expect(readFileSync(join(directory, "index.js"), "utf8")).toBe(before);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it("takes nothing for a connector that a killed process left behind, and removes it after an hour", async () => {
    const { archive, cache } = stage();
    mkdirSync(join(cache, ".unfinished-old", "package"), { recursive: true });
    mkdirSync(join(cache, ".unfinished-new"));
    chmodSync(cache, 0o700);
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(join(cache, ".unfinished-old"), longAgo, longAgo);
    await new ArchiveStore(cache).open(archive);
    expect(readdirSync(cache).filter((name) => name.startsWith("."))).toEqual([".unfinished-new"]);
  });

  it("unpacks nothing where others may write", async () => {
    const { archive, cache } = stage();
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    await expect(new ArchiveStore(cache).open(archive)).rejects.toMatchObject({
      code: "PIO_PLUGIN_ARCHIVE",
      remedy: expect.stringContaining("PULSAR_TS_IO_CACHE"),
    });
    expect(readdirSync(cache)).toEqual([]);
  });

  it("unpacks nothing where others may put packages that Node would find", async () => {
    const { archive, cache, folder } = stage();
    mkdirSync(join(folder, "node_modules"));
    chmodSync(join(folder, "node_modules"), 0o777);
    await expect(new ArchiveStore(cache).open(archive)).rejects.toThrow("would load what others put into");
  });

  it("says that there is no archive", async () => {
    await expect(new ArchiveStore(stage().cache).open("/nowhere/x.tgz")).rejects.toThrow(
      "there is no archive",
    );
  });
});

describe("defaultArchiveDirectory", () => {
  it.each([
    [{ PULSAR_TS_IO_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: tmpdir() }, "/a/connectors"],
    [{ XDG_CACHE_HOME: "/b", HOME: tmpdir() }, "/b/pulsar-ts-io/connectors"],
    [{ HOME: tmpdir() }, join(tmpdir(), ".cache/pulsar-ts-io/connectors")],
  ])("is, with %j, %s", (env, directory) => {
    expect(defaultArchiveDirectory(env)).toBe(directory);
  });

  it.each([[{}], [{ HOME: "/nonexistent" }]])("is among the temporary files with %j", (env) => {
    expect(dirname(defaultArchiveDirectory(env))).toBe(tmpdir());
  });

  it("is among the temporary files for a user id that has no entry in /etc/passwd", () => {
    vi.spyOn(process, "getuid").mockReturnValue(12_345);
    try {
      expect(defaultArchiveDirectory({ HOME: "/nonexistent" })).toBe(join(tmpdir(), "pulsar-ts-io-12345"));
    } finally {
      vi.restoreAllMocks();
    }
  });
});
