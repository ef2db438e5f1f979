import { existsSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ArchiveStore } from "../../src/archive/archive-store.ts";
import { readArchivedPackage } from "../../src/archive/read-archived-package.ts";
import { cli, loadingTime } from "../support/fake-process.ts";
import { connectorFiles, type TarEntry, tarBytes, writeArchive } from "../support/tar-file.ts";

const megabyte = 1024 * 1024;

interface HostileArchive {
  readonly what: string;
  readonly entries?: readonly TarEntry[];
  readonly change?: (gzip: Buffer) => Buffer;
  readonly code?: string;
  readonly says: string;
}

const good = connectorFiles();
const markedByCode =
  'import { writeFileSync } from "node:fs"; writeFileSync(process.env.MARK ?? "/dev/null", "");';
const manifest = (changes: Readonly<Record<string, string>>) => {
  const fields = {
    name: "packed",
    description: "x",
    sourceClass: "index.js#PackedSource",
    sourceConfigSchema: "schema.json",
    apiVersion: '"1"',
    ...changes,
  };
  const text = Object.entries(fields).map(([field, value]) => `${field}: ${value}`);
  return connectorFiles({ "pulsar-io.yaml": text.join("\n") });
};

/** Each is a connector that works but for one thing. */
const refusedUnread: readonly HostileArchive[] = [
  {
    what: "a path that leaves the folder",
    entries: [...good, { path: "package/../../escaped.txt", content: "x" }],
    says: "leaves the archive's folder",
  },
  {
    what: "an absolute path",
    entries: [...good, { path: "/tmp/pulsar-ts-io-escaped.txt", content: "x" }],
    says: "is an absolute path",
  },
  {
    what: "a path of another system",
    entries: [...good, { path: "C:\\escaped.txt", content: "x" }],
    says: "is an absolute path",
  },
  {
    what: "a path with a backslash",
    entries: [...good, { path: "package/..\\..\\escaped.txt", content: "x" }],
    says: "is no plain path",
  },
  {
    what: "a path outside of package/",
    entries: [...good, { path: "node_modules/a/index.js", content: "x" }],
    says: "does not lie in package/",
  },
  {
    what: "a symbolic link out",
    entries: [...good, { path: "package/out", type: "SymbolicLink", linkpath: "/etc" }],
    says: "is a symbolic link",
  },
  {
    what: "a symbolic link and a file through it",
    entries: [
      { path: "package/out", type: "SymbolicLink", linkpath: "../.." },
      { path: "package/out/escaped.txt", content: "x" },
      ...good,
    ],
    says: "is a symbolic link",
  },
  {
    what: "a hard link",
    entries: [...good, { path: "package/passwd", type: "Link", linkpath: "/etc/passwd" }],
    says: "is a hard link",
  },
  {
    what: "a character device",
    entries: [...good, { path: "package/null", type: "CharacterDevice" }],
    says: "is a device",
  },
  {
    what: "a block device",
    entries: [...good, { path: "package/disk", type: "BlockDevice" }],
    says: "is a device",
  },
  {
    what: "a pipe, which whoever reads it waits for",
    entries: [...good, { path: "package/pipe", type: "FIFO" }],
    says: "is a pipe",
  },
  {
    what: "one file twice",
    entries: [...good, { path: "package/index.js", content: markedByCode }],
    says: "stands in it twice",
  },
  {
    what: "two files whose names differ in case alone",
    entries: [...good, { path: "package/INDEX.js", content: markedByCode }],
    says: "stands in it twice",
  },
  {
    what: "a file where a folder is",
    entries: [...good, { path: "package/a/b" }, { path: "package/a" }],
    says: "stands in it twice",
  },
  {
    what: "a bomb: few bytes that become many",
    entries: [...good, { path: "package/zeros", content: new Uint8Array(9 * megabyte) }],
    says: "it would unpack to more than 8388608 bytes",
  },
  {
    what: "a bomb after the end of the tar file",
    change: () => gzipSync(Buffer.concat([tarBytes(good), Buffer.alloc(20 * megabyte)])),
    says: "it never ends",
  },
  {
    what: "a bomb of very many empty files",
    entries: [...good, ...Array.from({ length: 600 }, (_, index) => ({ path: `package/${index}` }))],
    says: "it holds more than 500 entries",
  },
  {
    what: "an end in the middle",
    change: (gzip) => gzip.subarray(0, gzip.length >> 1),
    says: "it ends in the middle",
  },
  {
    what: "an end between two entries",
    change: () => gzipSync(tarBytes(good).subarray(0, 512)),
    says: "it ends in the middle",
  },
  { what: "no gzip", change: () => tarBytes(good), says: "it is not compressed with gzip" },
  { what: "gzip in gzip", change: gzipSync, says: "it is compressed twice" },
  { what: "a damaged byte", change: damaged, says: "cannot be unpacked" },
  {
    what: "no package.json",
    entries: connectorFiles({ "package.json": undefined }),
    code: "PIO_PLUGIN_NOT_FOUND",
    says: "connector.tgz has no package.json",
  },
  {
    what: "a package that is no connector",
    entries: connectorFiles({ "package.json": '{"name": "left-pad"}' }),
    code: "PIO_PLUGIN_MANIFEST",
    says: "connector.tgz/package.json names no connector manifest",
  },
  {
    what: "a manifest outside of the package",
    entries: connectorFiles({ "package.json": '{"pulsarIo": "../../../etc/passwd"}' }),
    code: "PIO_PLUGIN_MANIFEST",
    says: "leaves its directory",
  },
  {
    what: "a manifest that lacks its fields",
    entries: connectorFiles({ "pulsar-io.yaml": "name: packed\n" }),
    code: "PIO_PLUGIN_MANIFEST",
    says: "connector.tgz/pulsar-io.yaml lacks description, sourceClass",
  },
  {
    what: "a manifest that is no YAML",
    entries: connectorFiles({ "pulsar-io.yaml": "a: b: {" }),
    code: "PIO_PLUGIN_MANIFEST",
    says: "is not valid YAML",
  },
  {
    what: "a contract of a version to come",
    entries: manifest({ apiVersion: '"2"' }),
    code: "PIO_PLUGIN_API_VERSION",
    says: "connector packed is written for API version 2, and this runtime speaks 1",
  },
  {
    what: "a contract of a version that was",
    entries: manifest({ apiVersion: '"0"' }),
    code: "PIO_PLUGIN_API_VERSION",
    says: "connector packed is written for API version 0, and this runtime speaks 1",
  },
  {
    what: "a schema outside of the package",
    entries: manifest({ sourceConfigSchema: "/etc/passwd" }),
    code: "PIO_PLUGIN_MANIFEST",
    says: "sourceConfigSchema of the connector in",
  },
  {
    what: "a schema that is no JSON",
    entries: connectorFiles({ "schema.json": "{" }),
    code: "PIO_PLUGIN_SCHEMA",
    says: "is not a JSON Schema",
  },
  {
    what: "a schema that is JSON alone",
    entries: connectorFiles({ "schema.json": '{"type": "nonsense", "properties": {}}' }),
    code: "PIO_PLUGIN_SCHEMA",
    says: "is no JSON Schema",
  },
  {
    what: "a schema of nothing",
    entries: connectorFiles({ "schema.json": "{}" }),
    code: "PIO_PLUGIN_SCHEMA",
    says: "describes no properties",
  },
  {
    what: "no dependencies, as npm pack makes it",
    entries: connectorFiles({
      "package.json": '{"type":"module","pulsarIo":"pulsar-io.yaml","dependencies":{"left-pad":"1"}}',
    }),
    says: "lacks what the connector needs: left-pad",
  },
];

describe("an archive with", loadingTime, () => {
  it.each(refusedUnread)(
    "$what is refused with one message, and leaves nothing behind",
    async ({ entries = good, change, code = "PIO_PLUGIN_ARCHIVE", says }) => {
      const folder = mkdtempSync(join(tmpdir(), "hostile-"));
      const archive = writeArchive(folder, entries, change);
      const cache = join(folder, "cache", "connectors");
      const limits = { maxArchiveBytes: megabyte, maxUnpackedBytes: 8 * megabyte, maxEntries: 500 };
      const error = readArchivedPackage(archive, new ArchiveStore(cache, limits));
      await expect(error).rejects.toMatchObject({ code, remedy: expect.any(String) });
      await expect(error).rejects.toThrow(says);
      expect(readdirSync(folder).sort()).toEqual(["cache", "connector.tgz"]);
      const left = readdirSync(cache);
      expect(left.filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
      if (code === "PIO_PLUGIN_ARCHIVE" && !says.startsWith("lacks")) expect(left).toEqual([]);
    },
  );

  it("no end, as a device has none, is refused unread", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    symlinkSync("/dev/zero", join(folder, "endless.tgz"));
    const store = new ArchiveStore(join(folder, "cache"));
    await expect(store.open(join(folder, "endless.tgz"))).rejects.toThrow("it is no file");
    const env = { PULSAR_TS_IO_CACHE: folder };
    const { code, stdout } = await cli(["connectors", "list", "--connectors-dir", folder], { env });
    expect(code).toBe(0);
    expect(stdout).toContain("endless.tgz is refused: it is no file");
  });

  it("more bytes than an archive may have is refused unread", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    const store = new ArchiveStore(join(folder, "cache"), {
      maxArchiveBytes: 10,
      maxUnpackedBytes: 10,
      maxEntries: 10,
    });
    await expect(store.open(writeArchive(folder, good))).rejects.toThrow("it has more than 10 bytes");
    expect(readdirSync(folder)).toEqual(["connector.tgz"]);
  });
});

describe("code in an archive that", () => {
  it.each([
    { what: "throws while it is loaded", code: 'throw new Error("boo");', says: "failed to load: boo" },
    { what: "is no JavaScript", code: "export class {", says: "failed to load" },
    { what: "ends the process", code: "process.exit(0);", says: "it tried to end the process" },
    { what: "exports no source", code: "export const PackedSource = 1;", says: "is not a class" },
    {
      what: "cannot be made",
      code: "export class PackedSource { constructor() { throw 7 } open() {} read() {} close() {} }",
      says: "cannot be made: 7",
    },
    { what: "needs what is not there", code: 'import "left-pad";', says: "Cannot find package 'left-pad'" },
    {
      what: "reads a file of its host",
      code: 'import "../../../../etc/hostname.js";',
      says: "failed to load",
    },
  ])("$what ends in one message", loadingTime, async ({ code, says }) => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    const archive = writeArchive(folder, connectorFiles({ "index.js": code }));
    const env = { PULSAR_TS_IO_CACHE: folder };
    const outcome = await cli(["run", "--archive", archive, "--output", "console"], { env });
    expect(outcome).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining(says) });
    expect(outcome.stderr.match(/^error: /gm)).toHaveLength(1);
    expect(outcome.stderr.match(/^remedy: /gm)).toHaveLength(1);
  });

  it("does something when it is loaded does it neither for validate nor for connectors", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hostile-"));
    const mark = join(folder, "mark");
    const code = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(mark)}, ""); throw 1;`;
    const archive = writeArchive(folder, connectorFiles({ "index.js": code }));
    const env = { PULSAR_TS_IO_CACHE: folder };
    for (const args of [
      ["validate", "--archive", archive],
      ["connectors", "describe", archive],
      ["connectors", "list", "--connectors-dir", folder],
    ]) {
      expect(await cli(args, { env })).toMatchObject({ code: 0 });
    }
    expect(existsSync(mark)).toBe(false);
    await cli(["run", "--archive", archive, "--output", "console"], { env });
    expect(existsSync(mark)).toBe(true);
  });
});

function damaged(gzip: Buffer): Buffer {
  const copy = Buffer.from(gzip);
  copy[copy.length - 6] = (copy.at(-6) ?? 0) ^ 0xff; // within the checksum
  return copy;
}
