import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "./cache.ts";
import { findPython313 } from "./python.ts";
import { type CommandOptions, runCommand } from "./run-command.ts";
import { StackFetchError } from "./stack-errors.ts";
import { type ResolvedStackOptions, resolveStackOptions, type StackOptions } from "./stack-options.ts";

/** Packages of PyPI, as pip's requirements file pins them. */
export interface PythonPackages {
  /** Of the folder in the cache. */
  readonly name: string;
  readonly requirements: string;
  /** What is installed and how long it takes, for the progress line. */
  readonly title: string;
}

/**
 * The interpreter of a virtual environment of Python 3.13 with those packages, made once.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) without Python 3.13; StackFetchError (`PIO_STACK_FETCH_FAILED`).
 */
export async function preparePython(packages: PythonPackages, options: StackOptions = {}): Promise<string> {
  const resolved = resolveStackOptions(options);
  const { name, requirements, title } = packages;
  const hash = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 12);
  // The environment is moved after it was made, which only its scripts would notice: the interpreter alone is used.
  const fill = async (folder: string) => {
    const python = await findPython313(resolved);
    resolved.report(`installing ${title} …`);
    await fetchPart(python, ["-m", "venv", folder], resolved);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
    await fetchPart(join(folder, "bin", "python"), pip, resolved);
  };
  return join(await cachedFolder(`${name}-${hash}`, fill, resolved), "bin", "python");
}

/** Runs a command that fetches or lays out a part of the stack. @throws StackFetchError (`PIO_STACK_FETCH_FAILED`) */
export async function fetchPart(
  command: string,
  args: readonly string[],
  { signal, env }: ResolvedStackOptions,
  more: Partial<CommandOptions> = {},
): Promise<void> {
  const { exitCode, tail } = await runCommand(command, args, { signal, env, ...more });
  if (exitCode === 0) return;
  throw new StackFetchError(`${command} ${args.slice(0, 3).join(" ")} failed: ${tail}`, {
    remedy: "see whether PyPI, npm and Maven Central can be reached",
  });
}
