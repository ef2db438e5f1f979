import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a process of Node loaded, of files: modules of ES and of CommonJS alike. Node's own are not among them. */
export interface LoadedModules {
  /** Paths, in order. */
  readonly files: readonly string[];
  /** Of their source text. */
  readonly bytes: number;
}

/**
 * Runs a process that ends by itself or is stopped cleanly, with the environment it needs to report what it loaded.
 *
 * Processes that it starts report as well.
 */
export async function collectLoadedModules(
  run: (env: Readonly<Record<string, string>>) => Promise<void>,
): Promise<LoadedModules> {
  const folder = await mkdtemp(join(tmpdir(), "loaded-modules-"));
  try {
    // Node names every script in its coverage, whatever loaded it.
    await run({ NODE_V8_COVERAGE: folder });
    const names = await readdir(folder);
    if (names.length === 0) throw new Error("the process wrote no coverage: it did not end cleanly");
    const found = await Promise.all(names.map((name) => filesIn(join(folder, name))));
    const files = [...new Set(found.flat())].sort();
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return { files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The package that a file belongs to, by the innermost `node_modules` of its path; `undefined` outside of one. */
export function packageOf(path: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

async function filesIn(coverageFile: string): Promise<readonly string[]> {
  const { result } = JSON.parse(await readFile(coverageFile, "utf8")) as Coverage; // as Node writes it
  return result.filter(({ url }) => url.startsWith("file://")).map(({ url }) => fileURLToPath(url));
}

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}
