import { describe, expect, it } from "vitest";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

const good = ["--archive", fixture("good")];

describe("a command with --json that fails", loadingTime, () => {
  it.each([
    [["status", "--http-port", "1"], 4, "PIO_NO_STATUS"],
    [["partitions", ...good], 3, "PIO_PLUGIN_TOOL_MISSING"],
    [["partitions", "reset", ...good, "--to", "LATEST", "--yes"], 3, "PIO_PLUGIN_TOOL_MISSING"],
    [["check", ...good], 3, "PIO_PLUGIN_TOOL_MISSING"],
    [["validate", "-t", "nobody"], 3, "PIO_PLUGIN_NOT_FOUND"],
    [["connectors", "describe", "nobody"], 3, "PIO_PLUGIN_NOT_FOUND"],
    [["connectors", "verify", "nobody"], 3, "PIO_PLUGIN_NOT_FOUND"],
    [["connectors", "list", "--nonsense"], 2, "PIO_USAGE"],
    [["package", "/nowhere/at/all"], 3, "PIO_PLUGIN_NOT_FOUND"],
  ])("says why in one document: %j", async (args, exitCode, code) => {
    const outcome = await cli([...args, "--json"]);
    expect(outcome.code).toBe(exitCode);
    const { error } = JSON.parse(outcome.stdout);
    expect(error).toEqual({ code, exitCode, message: expect.any(String), remedy: expect.any(String) });
    expect(outcome.stderr).toContain(`error: ${error.message} [${code}]\nremedy: ${error.remedy}\n`);
  });

  it("prints no second document where its own says it", async () => {
    const { code, stdout } = await cli(["validate", ...good, "--source-config", '{"count": "x"}', "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ valid: false });
  });

  it("says it, too, when the environment asked for JSON, and not without", async () => {
    const args = ["status", "--http-port", "1"];
    const { stdout } = await cli(args, { env: { PULSAR_TS_IO_JSON: "true" } });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "PIO_NO_STATUS" } });
    expect((await cli(args)).stdout).toBe("");
  });

  it("leaves the lines of a dry run alone", async () => {
    const { code, stdout } = await cli(["run", ...good, "--dry-run", "--json"]);
    expect([code, stdout]).toEqual([3, ""]);
  });

  it("shows no secret", async () => {
    const config = ["--source-config", '{"label": "away", "apiKey": "told to be away"}'];
    const { code, stdout } = await cli(["check", "--archive", fixture("with-tools"), ...config, "--json"]);
    expect(code).toBe(4);
    expect(stdout).toContain("(redacted)");
    expect(stdout).not.toContain("told to be");
  });
});

describe("an error about a command line", loadingTime, () => {
  it.each([
    [["run", "--nonsense"], "pulsar-ts-io run --help"],
    [["connectors"], "pulsar-ts-io connectors --help"],
    [["nonsense"], "pulsar-ts-io --help"],
    [[], "pulsar-ts-io --help"],
  ])("names the help that tells more: %j", async (args, help) => {
    const { code, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(`remedy: see \`${help}\`\n`);
  });
});
