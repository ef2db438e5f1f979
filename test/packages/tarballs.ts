import { execFile } from "node:child_process";
import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Those that users install, in the order in which they need one another. */
export const publishedFolders: readonly string[] = [
  "packages/core",
  "packages/config",
  "packages/kinesis-consumer",
  "packages/pulsar",
  "packages/testkit",
  "packages/create-pulsar-ts-io",
  "connectors/data-generator",
  "connectors/kinesis",
  "runtime",
];

/**
 * Packs one workspace as it is published.
 *
 * @returns the tarball's path.
 * @throws with what publint or attw have to say of it: they must say nothing.
 */
export async function packAndCheck(workspace: string, folder: string): Promise<string> {
  const target = await mkdtemp(join(folder, "packed-"));
  const pack = ["--yes", "pnpm@10.34.9", "pack", "--pack-destination", target];
  await exec("npx", pack, { cwd: join(root, workspace) });
  const [file] = await readdir(target);
  if (file === undefined) throw new Error(`${workspace} was not packed`);
  const tarball = join(target, file);
  await check(["node_modules/publint/src/cli.js", tarball, "--strict"]);
  const attw = "node_modules/@arethetypeswrong/cli/dist/index.js";
  await check([attw, tarball, "--profile", "esm-only", "--format", "ascii"]);
  return tarball;
}

async function check(args: readonly string[]): Promise<void> {
  try {
    await exec(process.execPath, [...args], { cwd: root });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string }; // by Node's documentation
    throw new Error(`${args.join(" ")}: ${stdout}${stderr}`, { cause: error });
  }
}
