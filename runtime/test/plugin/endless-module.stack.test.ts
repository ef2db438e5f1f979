import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fake-process.ts";
import { RealCli } from "../support/real-cli.ts";

/** Runs a connector whose module does `code` and nothing else. */
function runModule(code: string, args: readonly string[] = []): RealCli {
  const directory = join(mkdtempSync(join(tmpdir(), "module-")), "endless");
  cpSync(fixture("good"), directory, { recursive: true });
  writeFileSync(join(directory, "index.js"), `console.error("loading"); ${code}`);
  return new RealCli(["run", "--connector", directory, "--output", "console", ...args]);
}

describe("a module that never finishes loading", () => {
  it.each([[[]], [["--parallelism", "2"]]])(
    "is left alone when the run is to stop, with %j",
    async (args) => {
      await using cli = runModule("await new Promise(() => setInterval(() => undefined, 1_000));", args);
      await cli.shows("loading");
      cli.kill("SIGTERM");
      expect(await cli.exited).toEqual({ code: 0, signal: null });
    },
  );

  it("ends its process from aside when it lets nothing else happen", async () => {
    await using cli = runModule("for (;;);", ["--stall-timeout", "2s"]);
    expect(await cli.exited).toEqual({ code: 7, signal: null });
    expect(cli.stderr).toContain("remedy: ");
  });
});
