import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "@pulsar-ts-io/core";

/** A file that a property table turns into. */
export interface GeneratedFile {
  /** Relative to the folder that was generated for. */
  readonly path: string;
  readonly text: string;
  /** Whether the file on disk says the same. */
  readonly upToDate: boolean;
}

/** What `folder` should hold, beside what it holds. @param texts each path in it with the text it should have. */
export async function compareGeneratedFiles(
  folder: string,
  texts: readonly (readonly [path: string, text: string])[],
): Promise<readonly GeneratedFile[]> {
  return await Promise.all(
    texts.map(async ([path, text]) => ({
      path,
      text,
      upToDate: (await textIfThere(join(folder, path))) === text,
    })),
  );
}

/** Writes those of `files` that are not up to date. @returns the paths it wrote. */
export async function writeGeneratedFiles(
  folder: string,
  files: readonly GeneratedFile[],
): Promise<readonly string[]> {
  const stale = files.filter(({ upToDate }) => !upToDate);
  for (const { path, text } of stale) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return stale.map(({ path }) => path);
}

/** @returns `undefined` when there is no such file. */
export async function textIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
