import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createConnector } from "../src/index.ts";
import { main } from "../src/main.ts";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "create-"));
}

function textsIn(directory: string): string {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files
    .map((file) => `${file.name}\n${readFileSync(join(file.parentPath, file.name), "utf8")}`)
    .join("\n");
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
  });
  return { code, out: out.join(""), err: err.join("") };
}

describe("createConnector", () => {
  it.each(["pull", "push"] as const)("leaves no word of its template in a %s source", async (kind) => {
    const directory = join(folder(), "weather-reports");
    const files = await createConnector({ directory, kind });
    expect(files).toEqual(
      expect.arrayContaining([
        ".github/workflows/ci.yaml",
        ".gitignore",
        "README.md",
        "package.json",
        "pulsar-io.yaml",
        "schemas/weather-reports-source.schema.json",
        "src/generated/options.ts",
        "src/weather-reports-source.ts",
        "test/standard.test.ts",
      ]),
    );
    const texts = textsIn(directory);
    expect(texts).toContain("class WeatherReportsSource");
    expect(texts).not.toMatch(/example-(source|package)|ExampleSource|0\.0\.0-workspace/);
  });

  it("calls a source one once", async () => {
    const directory = join(folder(), "my-source");
    await createConnector({ directory, kind: "pull" });
    expect(readFileSync(join(directory, "src/my-source.ts"), "utf8")).toContain("class MySource ");
  });

  it("touches nothing where something is", async () => {
    const directory = join(folder(), "mine");
    mkdirSync(directory);
    writeFileSync(join(directory, "mine.txt"), "mine");
    await expect(createConnector({ directory, kind: "pull" })).rejects.toMatchObject({ code: "PIO_CREATE" });
    expect(readdirSync(directory)).toEqual(["mine.txt"]);
  });

  it.each(["My_Source", "-a", "a--b", "9", "a b"])("refuses the name %s", async (name) => {
    const made = createConnector({ directory: join(folder(), name), kind: "pull" });
    await expect(made).rejects.toThrow("is no name for a connector");
  });
});

describe("npm create pulsar-ts-io", () => {
  it("makes a source, and says what comes next", async () => {
    const directory = join(folder(), "my-source");
    const { code, out } = await run([directory, "--kind", "push"]);
    expect(out).toContain("npm install");
    expect(code).toBe(0);
    expect(readdirSync(directory)).toContain("pulsar-io.yaml");
  });

  it.each(["--help", "-h"])("says with %s how it is called", async (flag) => {
    expect(await run([flag])).toMatchObject({ code: 0, out: expect.stringContaining("--kind"), err: "" });
  });

  it.each([[[]], [["my-source", "--kind", "sideways"]], [["My_Source"]], [["--what"]], [["one", "two"]]])(
    "ends with 2 and an error for %j",
    async (args) => {
      const { code, err } = await run(args);
      expect(code).toBe(2);
      expect(err).toMatch(/^error: /);
    },
  );
});
