import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LocalRegistry } from "./local-registry.ts";

const exec = promisify(execFile);
const maxOutputBytes = 64 * 1_048_576;
const sampleCount = 3;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder in which a user installed our packages from a registry: no workspace, no compiler, nobody's install script. */
export class InstalledApp {
  readonly manager: "npm" | "pnpm";
  readonly folder: string;

  private constructor(manager: "npm" | "pnpm", folder: string) {
    this.manager = manager;
    this.folder = folder;
  }

  static async install(
    manager: "npm" | "pnpm",
    names: readonly string[],
    { registry, folder }: { readonly registry: LocalRegistry; readonly folder: string },
  ): Promise<InstalledApp> {
    await mkdir(folder);
    await writeFile(
      join(folder, "package.json"),
      JSON.stringify({ name: "app", version: "0.0.0", private: true, type: "module" }),
    );
    const [command, ...args] =
      manager === "npm"
        ? ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        : ["npx", "--yes", "pnpm@10.34.9", "add", "--ignore-scripts", "--silent"];
    await exec(command, [...args, ...names], { cwd: folder, env: registry.env });
    return new InstalledApp(manager, folder);
  }

  get bin(): string {
    return join(this.folder, "node_modules", "pulsar-ts-io", "bin", "pulsar-ts-io.js");
  }

  /** @throws Error when a package wants to run something as it is installed: none was run here. */
  async expectNothingToCompile(): Promise<void> {
    const text = await readFile(join(this.folder, "package-lock.json"), "utf8");
    const { packages }: { readonly packages: Record<string, LockEntry> } = JSON.parse(text);
    const scripted = Object.entries(packages).filter(
      ([, entry]) => entry.hasInstallScript === true && entry.optional !== true,
    );
    if (scripted.length > 0)
      throw new Error(`these want to run something: ${scripted.map(([name]) => name).join(", ")}`);
  }

  /** How many packages were installed, and the bytes of their files. With npm alone. */
  async installed(): Promise<{ readonly packages: number; readonly bytes: number }> {
    const modules = join(this.folder, "node_modules");
    const entries = await readdir(modules, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const isPackage = (path: string) => /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path);
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    return {
      packages: paths.filter(isPackage).length,
      bytes: sizes.reduce((sum, size) => sum + size, 0),
    };
  }

  /** @throws Error with what a compiler says that checks the declarations of `names` as well. */
  async expectWholeTypes(names: readonly string[]): Promise<void> {
    const lines = names.map((name, index) => `export * as all${index} from "${name}";\n`);
    const file = join(this.folder, "types.ts");
    await writeFile(file, lines.join(""));
    const args = [
      ...[
        "--ignoreConfig",
        "--noEmit",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--skipLibCheck",
        "false",
      ],
      ...["--module", "nodenext", "--target", "es2023", "--lib", "es2023"],
      ...["--types", "node", "--typeRoots", join(root, "node_modules/@types"), file],
    ];
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    await exec(process.execPath, [compiler, ...args]).catch((error: { readonly stdout?: string }) => {
      throw new Error(`the types of the packages are not whole: ${error.stdout ?? ""}`, { cause: error });
    });
  }

  /** @throws Error when an error of the runtime is of another copy of core than the one a connector imports, or its trace names no source. */
  async expectOneCore(): Promise<void> {
    const script = join(this.folder, "one-core.js");
    await writeFile(
      script,
      `import { ConnectorError } from "@pulsar-ts-io/core";
import { PluginHost } from "pulsar-ts-io";
const error = await new PluginHost().find({ kind: "name", name: "nobody" }).catch((thrown) => thrown);
process.stdout.write(String(error instanceof ConnectorError));
`,
    );
    const { stdout } = await exec(process.execPath, [script], { cwd: this.folder });
    if (stdout !== "true") throw new Error("a connector and the runtime have different copies of core");
    const args = ["run", "--source-type", "nobody", "--output", "console", "--log-level", "debug"];
    const failed: unknown = await exec(process.execPath, [this.bin, ...args]).catch(
      (error: unknown) => error,
    );
    const { stderr = "" } = failed as { readonly stderr?: string }; // by Node's documentation
    if (!/at .*src\/plugin\/plugin-host\.ts:\d+/.test(stderr))
      throw new Error(`the stack trace names no source: ${stderr}`);
  }

  /** What was installed, as CycloneDX has it. @throws Error when one of `names` is not in it. */
  async billOfMaterials(
    names: readonly string[],
  ): Promise<{ readonly text: string; readonly count: number }> {
    const args = ["sbom", "--sbom-format", "cyclonedx", "--omit", "dev"];
    const { stdout } = await exec("npm", args, { cwd: this.folder, maxBuffer: maxOutputBytes });
    const bill: Bill = JSON.parse(stdout);
    const components = new Set((bill.components ?? []).map(({ name }) => name));
    const absent = names.filter((name) => !components.has(name));
    if (bill.bomFormat !== "CycloneDX" || absent.length > 0)
      throw new Error(`the bill of materials is not whole: ${absent.join(", ")}`);
    const bundled = await this.#bundled(names);
    const text = JSON.stringify({ ...bill, components: [...(bill.components ?? []), ...bundled] }, null, 2);
    return { text: `${text}\n`, count: components.size };
  }

  /** What the packages contain of others, as `THIRD-PARTY.txt` lists it: npm does not know of it. */
  async #bundled(names: readonly string[]): Promise<readonly object[]> {
    const found = new Map<string, object>();
    for (const name of names) {
      const path = join(this.folder, "node_modules", name, "THIRD-PARTY.txt");
      const text = await readFile(path, "utf8").catch(() => "");
      for (const [, id = "", version = "", license = ""] of text.matchAll(/^(@?[^@\s]+)@(\S+) \((.+)\)$/gm)) {
        const purl = `pkg:npm/${id.replace("@", "%40")}@${version}`;
        const licenses = [{ expression: license }];
        found.set(purl, { type: "library", "bom-ref": purl, name: id, version, purl, licenses });
      }
    }
    if (found.size === 0) throw new Error("no package lists what it contains of others");
    return [...found.values()];
  }

  /** Runs the installed CLI on that Node until it has made three records. @returns the version of Node. */
  async tryOut(node: string): Promise<string> {
    const { stdout: version } = await exec(node, ["--version"]);
    const { stdout: listed } = await exec(node, [this.bin, "connectors", "list"]);
    if (!listed.includes("kinesis") || !listed.includes("data-generator"))
      throw new Error(`not listed: ${listed}`);
    const config = JSON.stringify({ count: sampleCount, recordsPerSecond: 0, template: "{{sequence}}" });
    const args = ["run", "--source-type", "data-generator", "--output", "console", "--source-config", config];
    const running = exec(node, [this.bin, ...args]);
    let seen = 0;
    running.child.stdout?.on("data", (text) => {
      seen += String(text).split("content:").length - 1;
      if (seen === sampleCount) running.child.kill("SIGTERM");
    });
    await running;
    if (seen !== sampleCount) throw new Error(`${seen} records instead of ${sampleCount}`);
    return version.trim();
  }
}

interface LockEntry {
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
}

interface Bill {
  readonly bomFormat?: string;
  readonly components?: readonly { readonly name: string }[];
}
