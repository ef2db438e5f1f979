import { execFile } from "node:child_process";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { codeOf } from "@pulsar-ts-io/core";
import { PackageError } from "./errors.ts";
import type { InstalledPackage } from "./installed-package.ts";

/**
 * The files of a package that are shipped, relative to it, in order: all of one that was installed, what npm would publish of a working
 * copy. None of its scripts runs.
 *
 * @throws PackageError (`PIO_PACKAGE`) for a link that leaves the package, and when npm fails.
 */
export async function filesOf(installed: InstalledPackage): Promise<readonly string[]> {
  const isInstalled = installed.directory.split(sep).includes("node_modules");
  const files = isInstalled ? await filesIn(installed, "") : await publishedFiles(installed);
  return [...files].sort();
}

async function filesIn(installed: InstalledPackage, folder: string): Promise<string[]> {
  const entries = await readdir(join(installed.directory, folder), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      // What it needs is placed by itself.
      if (path === "node_modules") return [];
      if (entry.isDirectory()) return await filesIn(installed, path);
      if (entry.isSymbolicLink()) return await linkedFile(installed, path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return found.flat();
}

/** Its content is shipped in its place. */
async function linkedFile({ directory, name }: InstalledPackage, path: string): Promise<string[]> {
  const target = await realpath(join(directory, path));
  const inside = !relative(directory, target).startsWith("..");
  if (inside && (await stat(target)).isFile()) return [path];
  throw new PackageError(`${path} of ${name} is a link that cannot be shipped`, {
    remedy: "replace the link with what it leads to",
  });
}

async function publishedFiles({ directory, name }: InstalledPackage): Promise<string[]> {
  const { stdout } = await npm(["pack", "--dry-run", "--json", "--ignore-scripts"], directory);
  const answer: unknown = JSON.parse(stdout);
  const [report] = typeof answer === "object" && answer !== null ? Object.values(answer) : [];
  const files: unknown = typeof report === "object" && report !== null ? Reflect.get(report, "files") : [];
  const paths = (Array.isArray(files) ? files : []).map(({ path }: { readonly path?: unknown }) =>
    String(path),
  );
  if (paths.length > 0) return paths.filter((path) => !path.startsWith("node_modules/"));
  throw new PackageError(`npm would publish no file of ${name}`, {
    remedy: "look at the files field of its package.json, and at npm pack --dry-run",
  });
}

async function npm(args: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  try {
    const shell = process.platform === "win32"; // npm is a script there
    return await promisify(execFile)("npm", args, { cwd, shell, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    const missing = codeOf(cause) === "ENOENT";
    const why = missing ? "npm is not installed" : "npm pack --dry-run failed";
    throw new PackageError(`the files of ${cwd} cannot be listed: ${why}`, {
      cause,
      remedy: missing
        ? "install npm, which comes with Node"
        : "run that command there, and correct what it says",
    });
  }
}
