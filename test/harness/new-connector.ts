import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runCli } from "./cli.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const exec = promisify(execFile);

/** A connector as `create` makes it, with the packages of this workspace where npm would put them. */
export class NewConnector implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(name: string, kind: string): Promise<NewConnector> {
    const made = new NewConnector(join(await mkdtemp(join(tmpdir(), "pulsar-ts-io-create-")), name));
    const { code, stderr } = await runCli(["create", made.folder, "--kind", kind]);
    if (code !== 0) throw new Error(`create ended with ${code}: ${stderr}`);
    await made.#install();
    return made;
  }

  /** One of its scripts, as an author runs it; @throws with what it said when it fails. */
  async script(...args: readonly string[]): Promise<string> {
    const { stdout } = await exec("npm", ["run", "--silent", ...args], { cwd: this.folder });
    return stdout;
  }

  async edit(file: string, from: string, to: string): Promise<void> {
    const path = join(this.folder, file);
    const before = await readFile(path, "utf8");
    if (!before.includes(from)) throw new Error(`${from} is not in ${file}`);
    await writeFile(path, before.replace(from, to));
  }

  /** Puts an author's own files in the place of those that were made; what is made from others is made again. */
  async replaceWith(directory: string): Promise<void> {
    for (const made of ["src", "test", "schemas"]) await rm(join(this.folder, made), { recursive: true });
    await cp(directory, this.folder, {
      recursive: true,
      filter: (path) => basename(path) !== "package.json",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(dirname(this.folder), { recursive: true, force: true });
  }

  async #install(): Promise<void> {
    const ours = { core: "packages/core", testkit: "packages/testkit" };
    for (const [name, path] of Object.entries(ours))
      await this.#link(`@pulsar-ts-io/${name}`, join(root, path));
    await this.#link("pulsar-ts-io", join(root, "runtime"));
    for (const name of ["typescript", "vitest", "@biomejs/biome", "@types/node"]) {
      await this.#link(name, await realpath(join(root, "node_modules", name)));
    }
    for (const name of ["tsc", "vitest", "biome"]) {
      await this.#link(`.bin/${name}`, join(root, "node_modules", ".bin", name));
    }
    await this.#link(".bin/pulsar-ts-io", join(root, "runtime/bin/pulsar-ts-io.js"));
  }

  async #link(name: string, target: string): Promise<void> {
    const path = join(this.folder, "node_modules", name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(target, path);
  }
}
