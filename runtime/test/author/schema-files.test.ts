import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, loadingTime } from "../support/fake-process.ts";

const table = `# fish

## Properties

| Name | Type | Required | Sensitive | Default | Description |
|---|---|---|---|---|---|
| \`net\` | String | true | false | | What to fish with. |
`;
const manifest = [
  "name: fish",
  "description: A source of fish.",
  "sourceClass: dist/index.js#FishSource",
  "sourceConfigSchema: schemas/fish-source.schema.json",
  'apiVersion: "1"',
].join("\n");

function connector(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "schema-"));
  const all = {
    "package.json": '{"pulsarIo": "pulsar-io.yaml"}',
    "pulsar-io.yaml": manifest,
    "README.md": table,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("pulsar-ts-io schema", loadingTime, () => {
  it("writes the schema that the manifest names, and the type", async () => {
    const folder = connector();
    const { code, stdout } = await cli(["schema", folder]);
    expect(code).toBe(0);
    expect(stdout).toContain("wrote schemas/fish-source.schema.json\nwrote src/generated/options.ts\n");
    const schema = JSON.parse(readFileSync(join(folder, "schemas/fish-source.schema.json"), "utf8"));
    expect(schema).toMatchObject({ required: ["net"], additionalProperties: false });
    const type = readFileSync(join(folder, "src/generated/options.ts"), "utf8");
    expect(type).toContain("export interface FishSourceOptions");
    expect(await cli(["schema", folder, "--check"])).toMatchObject({ code: 0 });
  });

  it("writes nothing with --check, and fails when the table says something else", async () => {
    const folder = connector();
    await cli(["schema", folder]);
    writeFileSync(join(folder, "README.md"), table.replace("`net`", "`rod`"));
    const { code, stderr } = await cli(["schema", folder, "--check"]);
    expect(code).toBe(3);
    expect(stderr).toContain("[PIO_SCHEMA_DRIFT]");
    expect(readFileSync(join(folder, "src/generated/options.ts"), "utf8")).toContain("net");
  });

  it.each([
    { what: "a broken package.json", files: { "package.json": "{ no" }, says: "is not a JSON object" },
    { what: "a package.json of nothing", files: { "package.json": "null" }, says: "it holds no object" },
    { what: "no manifest named", files: { "package.json": "{}" }, says: "names no connector manifest" },
    { what: "a broken manifest", files: { "pulsar-io.yaml": "a: {" }, says: "is not valid YAML" },
    { what: "no table", files: { "README.md": "# fish\n" }, says: "[PIO_PROPERTY_TABLE]" },
    {
      what: "a type that is none",
      files: { "README.md": table.replace("String", "Fish") },
      says: "is no known type",
    },
  ])("says what is wrong with $what, and what to do", async ({ files, says }) => {
    const folder = connector(files);
    for (const command of ["schema", "dev"].slice(0, "README.md" in files ? 1 : 2)) {
      const { code, stderr } = await cli([command, folder]);
      expect([2, 3]).toContain(code);
      expect(stderr).toContain(says);
      expect(stderr).toContain("remedy: ");
    }
  });

  it("says that there is no connector", async () => {
    const nowhere = join(tmpdir(), "no-connector-here");
    const { code, stderr } = await cli(["schema", nowhere]);
    expect(code).toBe(3);
    expect(stderr).toContain("[PIO_PLUGIN_NOT_FOUND]");
  });
});
