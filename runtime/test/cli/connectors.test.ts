import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { builtInPackages } from "../../src/plugin/built-ins.ts";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";
import { connectorFiles, writeArchive } from "../support/tar-file.ts";

const dir = ["--connectors-dir", fixture("")];

describe("pulsar-ts-io connectors list", loadingTime, () => {
  it("lists the built-in connectors", async () => {
    const { code, stdout } = await cli(["connectors", "list", "--json"]);
    expect(code).toBe(0);
    const described = expect.objectContaining({ name: expect.any(String), description: expect.any(String) });
    expect(JSON.parse(stdout)).toEqual(builtInPackages.map(() => described));
  });

  it("lists broken connectors with the reason, and does not load any", async () => {
    const { code, stdout } = await cli(["connectors", "list", ...dir]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/good {2}1\.2\.3\n {4}A connector for tests\./);
    expect(stdout).toMatch(/broken-manifest {2}\(broken\)\n {4}.*is not valid YAML.*\n {4}remedy: /);
    expect(stdout).toMatch(/throws-on-load {2}1\.2\.3/);
  });

  it("gives the reason's code as JSON", async () => {
    const { stdout } = await cli(["connectors", "list", "--json", ...dir]);
    const broken = JSON.parse(stdout).filter((entry: object) => "broken" in entry);
    expect(broken.map((entry: { broken: { code: string } }) => entry.broken.code).sort()).toEqual([
      "PIO_PLUGIN_API_VERSION",
      "PIO_PLUGIN_MANIFEST",
      "PIO_PLUGIN_MANIFEST",
      "PIO_PLUGIN_SCHEMA",
    ]);
  });

  it("refuses a connectors directory that cannot be read", async () => {
    const outcome = await cli(["connectors", "list", "--connectors-dir", "./nowhere"]);
    expect(outcome).toMatchObject({ code: 3, stderr: expect.stringContaining("cannot be read") });
  });
});

describe("pulsar-ts-io connectors describe", loadingTime, () => {
  it("prints what can be set, by name and by path", async () => {
    const byName = await cli(["connectors", "describe", "good", ...dir]);
    const byPath = await cli(["connectors", "describe", fixture("good")]);
    expect(byName).toEqual(byPath);
    expect(byName.stdout).toContain("count  (integer, default 3)\n      Records to read before it waits.");
    expect(byName.stdout).toContain("apiKey  (string, sensitive)");
  });

  it("says that instances of a connector divide the work by their numbers", async () => {
    const { stdout } = await cli(["connectors", "describe", "data-generator"]);
    expect(stdout).toContain("instances divide the work by number: each needs --parallelism");
    const json = await cli(["connectors", "describe", "data-generator", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ sharding: "by-number" });
    expect((await cli(["connectors", "describe", "good", ...dir])).stdout).not.toContain("by number");
  });

  it("prints schema and properties as JSON", async () => {
    const { stdout } = await cli(["connectors", "describe", "good", "--json", ...dir]);
    expect(JSON.parse(stdout)).toMatchObject({
      name: "good",
      apiVersion: "1",
      schema: { properties: { count: { default: 3 } } },
      properties: [{ name: "count" }, { name: "label" }, { name: "apiKey", sensitive: true }],
    });
  });

  it("prints the JSON Schema alone, as it stands in the package", async () => {
    const { stdout } = await cli(["connectors", "describe", fixture("good"), "--schema"]);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(fixture("good/schema.json"), "utf8")));
  });

  it("prints the settings as Pulsar's REST interface lists them", async () => {
    const { stdout } = await cli(["connectors", "describe", fixture("good"), "--config-definition"]);
    expect(JSON.parse(stdout)).toContainEqual({
      fieldName: "count",
      typeName: "long",
      attributes: {
        help: "Records to read before it waits.",
        defaultValue: "3",
        sensitive: "false",
        required: "false",
      },
    });
  });

  it("suggests the name that was probably meant", async () => {
    const outcome = await cli(["connectors", "describe", "goood", ...dir]);
    expect(outcome).toMatchObject({ code: 3, stderr: expect.stringContaining("did you mean good?") });
  });
});

describe("pulsar-ts-io connectors verify", loadingTime, () => {
  it.each([
    ["good", "no tools"],
    ["with-tools", "tools check, partitions, peek, reset"],
  ])("finds nothing wrong with %s", async (name, tools) => {
    const { code, stdout } = await cli(["connectors", "verify", fixture(name)]);
    expect(stdout).toContain(`ok      module            index.js exports FixtureSource, ${tools}`);
    expect(code).toBe(0);
  });

  it.each([
    ["throws-on-load", "it fails to load: this module cannot be loaded"],
    ["no-source", "FixtureSource is no class with open, read, close"],
    ["no-export", "it does not export FixtureSource"],
  ])("says what is wrong with %s, without being harmed", async (name, why) => {
    const { code, stdout, stderr } = await cli(["connectors", "verify", fixture(name)]);
    expect(stdout).toContain(why);
    expect(stderr).toContain("is not fit for use: module [PIO_PLUGIN_DEFECT]");
    expect(code).toBe(3);
  });

  it.each([
    ["process.exit(0);", "it ends its process when it is loaded"],
    ["setInterval(() => {}, 1000);", "it keeps a timer, a socket or a handle"],
    ["Promise.reject(new Error('aside')); await 0;", "it fails aside: aside"],
    ["export const tools = { check: 1 };", "of its tools these are no functions: check"],
  ])("contains code such as %s", async (code, why) => {
    const folder = mkdtempSync(join(tmpdir(), "verify-"));
    const source = "export class PackedSource { open() {} read() {} close() {} }";
    const archive = writeArchive(folder, connectorFiles({ "index.js": `${source}\n${code}` }));
    const env = { PULSAR_TS_IO_CACHE: folder };
    const outcome = await cli(["connectors", "verify", archive, "--json"], { env });
    expect(JSON.parse(outcome.stdout)).toContainEqual(
      expect.objectContaining({ what: "module", outcome: "failed", detail: expect.stringContaining(why) }),
    );
    expect(outcome.code).toBe(3);
  });

  it("says that README.md and schema differ", async () => {
    const folder = mkdtempSync(join(tmpdir(), "verify-"));
    const table = [
      "| Name | Type | Required | Sensitive | Default | Description |",
      "|---|---|---|---|---|---|",
      "| `other` | String | false | false |  | Not in the schema. |",
    ].join("\n");
    const archive = writeArchive(folder, connectorFiles({ "README.md": table }));
    const env = { PULSAR_TS_IO_CACHE: folder };
    const { code, stdout } = await cli(["connectors", "verify", archive], { env });
    expect(stdout).toContain("README.md says something else than the schema");
    expect(code).toBe(3);
  });
});

describe("pulsar-ts-io --help", loadingTime, () => {
  it.each([["--help"], ["run", "--help"], ["validate", "--help"], ["connectors", "--help"]])(
    "teaches with %s %s, and ends with 0",
    async (...args) => {
      const outcome = await cli(args);
      expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: "), stderr: "" });
    },
  );

  it("lists the settings of the connector that run names, from its schema", async () => {
    const { stdout } = await cli(["run", "--archive", fixture("good"), "--help"]);
    expect(stdout).toContain("Config of good: A connector for tests.");
    expect(stdout).toContain("Records to read before it waits.");
  });

  it("prints the version", async () => {
    const { code, stdout } = await cli(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
