import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Cli, runCli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const exec = promisify(execFile);

/** A connector as `create` makes it, with the packages of this workspace where npm would put them. */
class NewConnector implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(name: string, kind: string): Promise<NewConnector> {
    const made = new NewConnector(join(await mkdtemp(join(tmpdir(), "pulsar-ts-io-create-")), name));
    expect(await runCli(["create", made.folder, "--kind", kind])).toMatchObject({ code: 0 });
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
    expect(before).toContain(from);
    await writeFile(path, before.replace(from, to));
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

describe("pulsar-ts-io create", () => {
  it.each([
    { name: "my-source", kind: "pull" },
    { name: "some-very-long-name-of-a-connector", kind: "push" },
  ])(
    "makes a $kind source that passes its own lint, build and tests with nothing edited",
    async ({ name, kind }) => {
      await using connector = await NewConnector.create(name, kind);
      await connector.script("lint");
      await connector.script("build");
      expect(await connector.script("test")).toMatch(/Tests.* passed/);
      const verified = await runCli(["connectors", "verify", connector.folder]);
      expect(verified).toMatchObject({ code: 0, stderr: "" });
      expect(verified.stdout).not.toMatch(/^(advice|failed)/m);
      expect(await connector.script("package")).toContain(`${name}-1.0.0.tgz`);
      expect(await readdir(connector.folder)).toContain(`${name}-1.0.0.tgz`);
    },
    120_000,
  );

  it("makes a source whose archive runs with one command", async () => {
    await using connector = await NewConnector.create("my-source", "pull");
    await connector.script("package");
    const archive = join(connector.folder, "my-source-1.0.0.tgz");
    const config = JSON.stringify({ path: join(connector.folder, "pulsar-io.yaml") });
    const env = { PULSAR_TS_IO_CACHE: join(connector.folder, "cache") };
    await using cli = new Cli(
      ["run", "--archive", archive, "--source-config", config, "--output", "console"],
      {
        env,
      },
    );
    await eventually("content:name: my-source", () =>
      cli.stdout.join("\n").includes("content:name: my-source"),
    );
    expect(await cli.stop()).toMatchObject({ code: 0 });
  }, 60_000);

  it("refuses a directory that is not empty, and a name that is none", async () => {
    const full = await runCli(["create", root]);
    expect(full).toMatchObject({ code: 2, stderr: expect.stringContaining("[PIO_CREATE]") });
    const wrong = await runCli(["create", "My_Source"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("is no name for a connector") });
  });
});

describe("pulsar-ts-io dev", () => {
  it("runs a connector again after a change, and waits when it does not build", async () => {
    await using connector = await NewConnector.create("my-source", "pull");
    await using cli = new Cli(["dev", connector.folder]);
    const shown = () => [...cli.stdout, ...cli.stderr].join("\n");
    await eventually("content:# my-source", () => shown().includes("content:# my-source"));
    const source = "src/my-source.ts";
    await connector.edit(
      source,
      "new LineRecord(line,",
      "new LineRecord(Buffer.concat([Buffer.from('> '), line]),",
    );
    await eventually("content:> ", () => shown().includes("content:> "));
    await connector.edit(source, "Buffer.from(", "Buffer.nonsense(");
    await eventually("the build failed, waiting for a change", () =>
      shown().includes("the build failed, waiting for a change"),
    );
    await connector.edit(source, "Buffer.nonsense('> ", "Buffer.from('again ");
    await eventually("content:again ", () => shown().includes("content:again "));
    expect(await cli.stop()).toMatchObject({ code: 0 });
  }, 120_000);
});
