import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

const path = () => join(mkdtempSync(join(tmpdir(), "watch-")), "config.yaml");

function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function watching(file: string, ...more: readonly string[]): RealCli {
  return new RealCli([
    ...["run", "--archive", fixture("good"), "--output", "console", "--watch"],
    ...["--source-config-file", file, ...more],
  ]);
}

describe("the process pulsar-ts-io run --watch", () => {
  it("drains and runs the changed config, keeps to it when the next change is bad, and stops as ever", async () => {
    const file = path();
    write(file, "label: first\n");
    await using cli = watching(file);
    await cli.shows("first 3");
    write(file, "label: second\ncount: 2\n");
    await cli.shows("second 2");
    const [before = ""] = cli.stderr.split("config file changed, starting anew");
    expect(before).not.toContain("run ended");
    expect(cli.stderr).toMatch(/"written":3,.*"run ended"[\s\S]*source opened/);

    write(file, "label: third\ncount: many\n");
    await cli.shows("the run goes on as before");
    expect(cli.stderr).toMatch(/"code":"PIO_INVALID_CONFIG"/);
    expect(cli.stderr).toMatch(/count: must be an integer/);
    write(file, "customRuntimeOptions: {pulsarTsIo: {onRefused: dead-letter}}\nconfigs: {label: third}\n");
    await cli.shows("--on-refused dead-letter needs a topic");
    write(file, "label: fourth\n");
    await cli.shows("fourth 3");
    expect(cli.stdout).not.toContain("third");
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr.match(/source opened/g)).toHaveLength(3);
    expect(cli.stderr.match(/fixture closed/g)).toHaveLength(3);
  }, 60_000);

  it("keeps the run when the file goes away", async () => {
    const file = path();
    write(file, "label: first\n");
    await using cli = watching(file);
    await cli.shows("first 3");
    renameSync(file, `${file}.old`);
    await cli.shows("the watched config file is away");
    cli.kill("SIGINT");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr.match(/source opened/g)).toHaveLength(1);
  }, 60_000);

  it("keeps the run when the file is emptied, and says so", async () => {
    const file = path();
    write(file, "label: first\n");
    await using cli = watching(file);
    await cli.shows("first 3");
    write(file, "\n# label: second\n");
    await cli.shows("config file is empty, the run goes on as before");
    cli.kill("SIGTERM");
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr.match(/source opened/g)).toHaveLength(1);
  }, 60_000);

  it("ends as it would without --watch when the source fails for good", async () => {
    const file = path();
    write(file, "label: first\n");
    await using cli = new RealCli([
      ...["run", "--archive", fixture("failing-read"), "--output", "console", "--watch"],
      ...["--source-config-file", file, "--max-restarts", "0"],
    ]);
    expect((await cli.exited).code).toBe(1);
  }, 60_000);
});
