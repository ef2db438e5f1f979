import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { runCli } from "./harness/cli.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const exec = promisify(execFile);

/** A copy of the Kinesis connector's package whose property table may be edited. */
class CopiedConnector implements AsyncDisposable {
  readonly #root: string;

  private constructor(folder: string) {
    this.#root = folder;
  }

  static async make(): Promise<CopiedConnector> {
    const copy = new CopiedConnector(await mkdtemp(join(tmpdir(), "pulsar-ts-io-table-")));
    await mkdir(join(copy.folder, "src/generated"), { recursive: true });
    await mkdir(join(copy.#root, "schemas"));
    for (const name of ["package.json", "pulsar-io.yaml", "README.md", "schemas"]) {
      await cp(join(root, "connectors/kinesis", name), join(copy.folder, name), { recursive: true });
    }
    return copy;
  }

  get folder(): string {
    return join(this.#root, "connectors/kinesis");
  }

  async editTable(edit: (markdown: string) => string): Promise<void> {
    const path = join(this.folder, "README.md");
    const before = await readFile(path, "utf8");
    const after = edit(before);
    if (after === before) throw new Error("the edit found nothing to change");
    await writeFile(path, after);
  }

  /** `pnpm schemas` for this copy. */
  async regenerate(): Promise<void> {
    const script = join(root, "packages/config/bin/schemas.ts");
    const args = ["--import", "tsx", "--conditions=@pulsar-ts-io/source", script, "--root", this.#root];
    await exec(process.execPath, args, { cwd: root });
  }

  async read(path: string): Promise<string> {
    return await readFile(join(this.#root, path), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}

describe("the property table of a connector", () => {
  it("changes the schema, the type, the validator and --help when it is edited", async () => {
    await using connector = await CopiedConnector.make();
    const validate = (config: object) =>
      runCli(["validate", "--archive", connector.folder, "--source-config", JSON.stringify(config)]);
    const usual = {
      awsKinesisStreamName: "s",
      awsRegion: "us-east-1",
      awsCredentialPluginParam: '{"accessKey":"a","secretKey":"b"}',
    };
    expect(await validate({ ...usual, nap: 5 })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("nap"),
    });

    await connector.editTable((markdown) =>
      markdown.replace(
        /^\| `pollIdleTime`.*$/m,
        (row) =>
          `${row}\n| \`nap\` | Long | false | false | 7 | 1 to 9 | Ours. How long to nap, in milliseconds. |`,
      ),
    );
    await connector.regenerate();

    const schema: { properties: Record<string, unknown> } = JSON.parse(
      await connector.read("schemas/kinesis-source.schema.json"),
    );
    expect(schema.properties["nap"]).toMatchObject({ default: 7, minimum: 1, maximum: 9 });
    expect(await connector.read("connectors/kinesis/src/generated/options.ts")).toMatch(
      /readonly nap\??: number/,
    );
    expect(await validate({ ...usual, nap: 5 })).toMatchObject({ code: 0 });
    expect(await validate({ ...usual, nap: 10 })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("1 to 9"),
    });
    const help = await runCli(["run", "--archive", connector.folder, "--help"]);
    expect(help.stdout).toContain("How long to nap, in milliseconds. Allowed: 1 to 9.");
  }, 60_000);
});
