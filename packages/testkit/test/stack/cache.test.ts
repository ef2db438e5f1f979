import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cachedFolder, cacheFolder } from "../../src/stack/cache.ts";
import { resolveStackOptions } from "../../src/stack/stack-options.ts";

describe("cacheFolder", () => {
  it.each([
    [{ PULSAR_TS_IO_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
    [{ PULSAR_TS_IO_CACHE: "", XDG_CACHE_HOME: "/b" }, "/b/pulsar-ts-io"],
  ])("of %j is %s", (env, expected) => {
    expect(cacheFolder(env)).toBe(expected);
  });

  it("is in the home folder otherwise", () => {
    expect(cacheFolder({})).toMatch(/\.cache.pulsar-ts-io$/);
  });
});

describe("cachedFolder", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "pulsar-ts-io-cache-test-"));
  });
  afterEach(() => rm(root, { recursive: true }));

  const fill = (text: string) => (folder: string) => writeFile(join(folder, "file"), text);
  const options = (more: object = {}) => resolveStackOptions({ env: { PULSAR_TS_IO_CACHE: root }, ...more });

  it("is filled once, also by two who ask at the same time", async () => {
    let fills = 0;
    const slowly = async (folder: string) => {
      fills += 1;
      await new Promise((resolve) => setImmediate(resolve));
      await fill("x")(folder);
    };
    const folders = await Promise.all([
      cachedFolder("a", slowly, options()),
      cachedFolder("a", slowly, options()),
    ]);
    await cachedFolder("a", slowly, options());
    expect([folders, fills]).toEqual([[join(root, "a"), join(root, "a")], 1]);
    expect(await readdir(root)).toEqual(["a"]);
  });

  it("leaves nothing behind when filling it fails, and is filled anew by the next", async () => {
    const failing = async (folder: string) => {
      await fill("half")(folder);
      throw new Error("connection lost");
    };
    await expect(cachedFolder("a", failing, options())).rejects.toThrow("connection lost");
    expect(await readdir(root)).toEqual([]);
    expect(await readFile(join(await cachedFolder("a", fill("whole"), options()), "file"), "utf8")).toBe(
      "whole",
    );
  });

  it("passes over the lock of a process that is dead", async () => {
    // Above the largest process id there can be.
    await writeFile(join(root, "a.lock"), "999999999");
    await cachedFolder("a", fill("x"), options());
    expect(await readdir(root)).toEqual(["a"]);
  });

  it("removes what a killed process left half done", async () => {
    await mkdir(join(root, "a.1234.partial"));
    await cachedFolder("a", fill("x"), options());
    expect(await readdir(root)).toEqual(["a"]);
  });

  it("waits for the process that fetches the same, says so once, and can be interrupted", async () => {
    await writeFile(join(root, "a.lock"), String(process.pid));
    const stop = new AbortController();
    const lines: string[] = [];
    const report = (line: string) => {
      lines.push(line);
      stop.abort(new Error("enough"));
    };
    await expect(cachedFolder("a", fill("x"), options({ report, signal: stop.signal }))).rejects.toThrow(
      "enough",
    );
    expect(lines).toEqual([`waiting for process ${process.pid}, which fetches the same`]);
  });

  it("does not care who was first when two have filled it after all", async () => {
    const late = async (folder: string) => {
      await fill("ours")(folder);
      await mkdir(join(root, "a"));
      await fill("theirs")(join(root, "a"));
    };
    expect(await readFile(join(await cachedFolder("a", late, options()), "file"), "utf8")).toBe("theirs");
    expect(await readdir(root)).toEqual(["a"]);
  });
});
