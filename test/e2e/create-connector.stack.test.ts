import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Cli, runCli } from "../harness/cli.ts";
import { eventually } from "../harness/eventually.ts";
import { NewConnector } from "../harness/new-connector.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("pulsar-ts-io create", () => {
  // One with a shorter name, that is asked for its records, is made by test/packages.mjs and runs into a broker there.
  it("makes a push source that passes its own lint, build and tests with nothing edited", async () => {
    const name = "some-very-long-name-of-a-connector";
    await using connector = await NewConnector.create(name, "push");
    await connector.script("lint");
    await connector.script("build");
    expect(await connector.script("test")).toMatch(/Tests.* passed/);
    const verified = await runCli(["connectors", "verify", connector.folder]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(verified.stdout).not.toMatch(/^(advice|failed)/m);
    expect(await connector.script("package")).toContain(`${name}-1.0.0.tgz`);
    expect(await readdir(connector.folder)).toContain(`${name}-1.0.0.tgz`);
  }, 120_000);

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
      "this.value = value",
      "this.value = Buffer.concat([Buffer.from('> '), value])",
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
