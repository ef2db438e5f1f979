// Brings a clone to the state in which everything can run: dependencies installed, packages built.
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, realpath, symlink } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const oldestNode = [20, 19];

/**
 * Installs what is missing and builds what is stale, saying what it does on `progress`. Safe to repeat; a few seconds when done.
 */
export async function prepareWorkspace({ progress = process.stdout } = {}) {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new Error(`Node ${oldestNode.join(".")} or newer is needed, this is ${process.versions.node}`);
  }
  if (!isInstalled()) {
    progress.write("installing dependencies (about half a minute on a first run) …\n");
    await run("npm", ["run", "--silent", "setup"], { stdout: progress });
  }
  progress.write("building …\n");
  await run(process.execPath, ["node_modules/typescript/bin/tsc", "-b", "tsconfig.build.json"], {
    stdout: progress,
  });
}

/** Makes the packages of the built workspace as they are published. @returns the path of their CLI. */
export async function assemblePackages({ progress = process.stdout } = {}) {
  progress.write("assembling the packages …\n");
  await run(process.execPath, ["deploy/packages/assemble.mjs"], { stdout: progress });
  await linkDependencies(`${root}build/node_modules`);
  return `${root}build/node_modules/pulsar-ts-io/bin/pulsar-ts-io.js`;
}

/** Links what npm would install beside the assembled packages: without it they fail, or do without their native parts. */
async function linkDependencies(modules) {
  const folders = ["runtime", ...(await foldersIn("packages")), ...(await foldersIn("connectors"))];
  for (const folder of folders) {
    const { name } = JSON.parse(await readFile(`${root}${folder}/package.json`, "utf8"));
    const assembled = `${modules}/${name}/package.json`;
    if (!existsSync(assembled)) continue;
    const { dependencies, optionalDependencies } = JSON.parse(await readFile(assembled, "utf8"));
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const installed = `${root}${folder}/node_modules/${dependency}`;
      const link = `${modules}/${dependency}`;
      if (existsSync(link) || !existsSync(installed)) continue;
      await mkdir(dirname(link), { recursive: true });
      await symlink(await realpath(installed), link);
    }
  }
}

async function foldersIn(folder) {
  return (await readdir(`${root}${folder}`)).map((name) => `${folder}/${name}`);
}

/** Runs a script's body; a failure becomes one line and exit code 1. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs a command in the repository's folder with its output on ours, or on `stdout`; throws unless it exits with 0. */
export async function run(command, args, { env = process.env, stdout = process.stdout } = {}) {
  const code = await exitCodeOf(command, args, env, stdout);
  if (code !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${code}`);
}

/** Runs a TypeScript file of the repository from source; its exit code becomes ours. */
export async function runTypeScript(file, args) {
  const code = await exitCodeOf(process.execPath, [
    "--import",
    "tsx",
    "--conditions=@pulsar-ts-io/source",
    file,
    ...args,
  ]);
  process.exitCode = code;
}

/** The exit code of a command run like {@link run}; 1 when a signal ended it. */
export function exitCodeOf(command, args, env = process.env, stdout = process.stdout) {
  const child = spawn(command, args, {
    cwd: root,
    env,
    stdio: ["inherit", stdout, "inherit"],
    shell: process.platform === "win32",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

function isInstalled() {
  const marker = `${root}/node_modules/.modules.yaml`;
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${root}/pnpm-lock.yaml`).mtimeMs;
}
