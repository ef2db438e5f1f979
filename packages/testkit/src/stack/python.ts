import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./run-command.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/**
 * A Python 3.13: `python3.13` on the PATH, one of pyenv's, else `python3` if it is one.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`)
 */
export async function findPython313(options: ResolvedStackOptions): Promise<string> {
  const { PYENV_ROOT: root = join(homedir(), ".pyenv") } = options.env;
  const versions = join(root, "versions");
  const installed = (await readdir(versions).catch(() => [])).filter((version) =>
    version.startsWith("3.13."),
  );
  const candidates = [
    "python3.13",
    ...installed.map((version) => join(versions, version, "bin", "python3")),
    "python3",
  ];
  // Asked, not believed: a shim of pyenv may exist and not run.
  const test = ["-c", "import sys; sys.exit(sys.version_info[:2] != (3, 13))"];
  for (const python of candidates) {
    const { exitCode } = await runCommand(python, test, options);
    if (exitCode === 0) return python;
  }
  throw new StackPartMissingError("no Python 3.13 found", {
    remedy: "install Python 3.13 as python3.13, for instance with pyenv",
  });
}
