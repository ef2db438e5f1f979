import { describe, expect, it } from "vitest";
import { completeWords } from "../../src/cli/complete-words.ts";
import { everyCommand } from "../support/command-list.ts";
import { cli, loadingTime } from "../support/fake-process.ts";

const [program = expect.unreachable()] = everyCommand();
const host = {
  connectors: () =>
    Promise.resolve([
      { value: "tick", description: "Ticks" },
      { value: "tock", description: "Tocks" },
    ]),
};

/** The candidates for the last word, or `:files`. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const completion = await completeWords(program.command, words, host);
  return completion.kind === "files" ? [":files"] : completion.candidates.map(({ value }) => value);
}

describe("completeWords", () => {
  it("knows every command, and offers none that is hidden", async () => {
    const commands = everyCommand().flatMap(({ words }) => (words.length === 1 ? words : []));
    expect(await complete("")).toEqual(commands);
    expect(await complete("part")).toEqual(["partitions"]);
    expect(await complete("partitions", "")).toEqual(["reset"]);
    expect(await complete("leases", "r")).toEqual(["reset"]);
  });

  it("knows every option that a command shows", async () => {
    for (const { words, command } of everyCommand()) {
      const shown = command
        .createHelp()
        .visibleOptions(command)
        .map(({ long }) => long);
      expect(await complete(...words, "--")).toEqual(shown);
    }
    expect(await complete("run", "--log-")).toEqual(["--log-topic", "--log-level", "--log-format"]);
  });

  it.each([
    [
      ["run", "--output", ""],
      ["pulsar", "console"],
    ],
    [["run", "--output", "c"], ["console"]],
    [
      ["run", "--log-format", ""],
      ["json", "pretty"],
    ],
    [["run", "--logFormat", "j"], ["json"]],
    [["run", "--use-tls", "f"], ["false"]],
    [["partitions", "reset", "--to", "L"], ["LATEST"]],
    [
      ["run", "-t", ""],
      ["tick", "tock"],
    ],
    [["run", "--source-type", "ti"], ["tick"]],
    [["connectors", "describe", "to"], ["tock"]],
    [["completion", "z"], ["zsh"]],
    [["run", "--tenant", ""], []],
  ])("offers for %j what can be there", async (words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  it.each([
    [["run", "--source-config-file", ""]],
    [["run", "-a", "./my"]],
    [["connectors", "list", "--connectors-dir", ""]],
    [["run", "--tls-trust-cert-path=/etc/"]],
  ])("leaves files to the shell: %j", async (words) => {
    expect(await complete(...words)).toEqual([":files"]);
  });

  it("completes a value behind =, whether the shell takes that for one word or for three", async () => {
    expect(await complete("run", "--output=")).toEqual(["--output=pulsar", "--output=console"]);
    expect(await complete("run", "--output=c")).toEqual(["--output=console"]);
    expect(await complete("run", "--output", "=")).toEqual(["--output=pulsar", "--output=console"]);
    expect(await complete("run", "--output", "=", "c")).toEqual(["--output=console"]);
  });

  it("goes on after values, however they look", async () => {
    const json = '{"a": "--output"}';
    expect(await complete("run", "--source-config", json, "--outp")).toEqual(["--output"]);
    expect(await complete("run", "--source-config", "--tenant", "--outp")).toEqual(["--output"]);
    expect(await complete("run", "--use-tls", "--outp")).toEqual(["--output"]);
    expect(await complete("run", "--dry-run", "partitions", "--outp")).toEqual(["--output"]);
    expect(await complete("run", "--nonsense", "--outp")).toEqual(["--output"]);
  });

  it("has nothing to say where nothing fits", async () => {
    expect(await complete("run", "--zzz")).toEqual([]);
    expect(await complete("nonsense", "zzz")).toEqual([]);
  });
});

describe("pulsar-ts-io complete", loadingTime, () => {
  it("answers a line for each candidate, with what it is", async () => {
    const { code, stdout, stderr } = await cli(["complete", "--", "run", "--source-type", "data"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^data-generator\t\S.*\n$/);
  });

  it("answers that the shell knows the files", async () => {
    expect((await cli(["complete", "--", "run", "-a", ""])).stdout).toBe(":files\n");
  });

  it("refuses a shell that it has no script for", async () => {
    expect(await cli(["completion", "tcsh"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("bash, zsh, fish"),
    });
  });
});
