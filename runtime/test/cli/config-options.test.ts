import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { configurableOptions } from "../../src/cli/config-options.ts";
import { addRunOptions } from "../../src/cli/definitions/run.ts";
import { cli, FakeProcess, fixture, loadingTime } from "../support/fake-process.ts";

/** A whole SourceConfig with `options` for this runtime. */
function fileWith(connector: string, options: Readonly<Record<string, unknown>>): string {
  const file = join(mkdtempSync(join(tmpdir(), "config-options-")), "source.json");
  const customRuntimeOptions = JSON.stringify({ pulsarTsIo: options });
  writeFileSync(file, JSON.stringify({ archive: fixture(connector), customRuntimeOptions }));
  return file;
}

const run = (file: string) => ["run", "--source-config-file", file, "--output", "console"];

describe("options in a SourceConfig", loadingTime, () => {
  it("count as if they stood on the command line", async () => {
    const outcome = await cli(run(fileWith("failing-read", { maxRestarts: 0, logLevel: "error" })));
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/^error: the source failed: the well is dry/);
  });

  it.each([
    { args: ["--max-restarts", "1"], env: {} },
    { args: [], env: { PULSAR_TS_IO_MAX_RESTARTS: "1" } },
  ])("give way to the command line and the environment: %j", async ({ args, env }) => {
    const outcome = await cli([...run(fileWith("failing-read", { maxRestarts: 0 })), ...args], { env });
    expect(outcome.stderr.match(/source opened/g)).toHaveLength(2);
  });

  it("may switch something on, or say that it is off", async () => {
    const proc = new FakeProcess(run(fileWith("good", { assumeDeduplication: false, drainTimeout: "5s" })));
    const ending = runCli(proc, []);
    await proc.shows("source opened");
    proc.emit("SIGTERM");
    await ending;
    expect(await proc.exited).toBe(0);
  });

  it.each([
    [{ onrefused: "skip" }, "customRuntimeOptions.pulsarTsIo.onrefused", "did you mean onRefused?"],
    [{ httpPort: 80 }, "customRuntimeOptions.pulsarTsIo.httpPort", "known are assumeDeduplication, "],
    [
      { onRefused: "forget" },
      "is not what --on-refused takes",
      "Allowed choices are fail, skip, dead-letter.",
    ],
    [{ drainTimeout: "soon" }, "is not what --drain-timeout takes", "It must be a time above 0"],
    [
      { assumeDeduplication: "perhaps" },
      "is not what --assume-deduplication takes",
      "It must be true or false.",
    ],
  ])("are refused by run and validate when they are wrong: %j", async (options, ...texts) => {
    const file = fileWith("good", options);
    for (const args of [run(file), ["validate", "--source-config-file", file]]) {
      const { code, stderr } = await cli(args);
      expect(code).toBe(2);
      for (const text of texts) expect(stderr).toContain(text);
    }
  });

  it("are options that a run has", () => {
    const names = addRunOptions(new Command()).options.map((option) => option.attributeName());
    expect(names).toEqual(expect.arrayContaining([...configurableOptions]));
  });
});
