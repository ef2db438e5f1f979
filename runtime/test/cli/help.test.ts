import { describe, expect, it } from "vitest";
import { everyCommand } from "../support/command-list.ts";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

const commands = everyCommand();

describe("--help", loadingTime, () => {
  it.each(commands.map(({ words }) => [words.join(" ")]))("shows examples for %j", async (words) => {
    const { code, stdout, stderr } = await cli([...words.split(" ").filter(Boolean), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, examples = ""] = stdout.split("\nExamples:\n");
    expect(examples).toMatch(new RegExp(`^ {2}pulsar-ts-io ${words}`));
  });

  it("describes every option that it shows", () => {
    for (const { command } of commands) {
      for (const option of command.createHelp().visibleOptions(command))
        expect(option.description).toMatch(/\w/);
    }
  });

  it("says how options are called in the environment", async () => {
    const { stdout } = await cli(["partitions", "reset", "--help"]);
    expect(stdout).toContain("--source-type as PULSAR_TS_IO_SOURCE_TYPE");
  });
});

describe("a misspelt command line", loadingTime, () => {
  it.each([
    [["run", "--brokr-service-url", "x"], "did you mean --broker-service-url?"],
    [["run", "--sourceConfg", "{}"], "did you mean --source-config?"],
    [["validate", "--sorce-type", "x"], "did you mean --source-type?"],
    [["connectors", "lst"], "did you mean list?"],
    [["partitons"], "did you mean partitions?"],
  ])("%j is told what was probably meant, and ends with 2", async (args, suggestion) => {
    expect(await cli(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(suggestion) });
  });
});

describe("an unknown option", loadingTime, () => {
  it("is named without its value, which may be a secret", async () => {
    const { code, stderr } = await cli(["run", "--clientAuthParms=token:canary\n'x'"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: unknown option '--client-auth-parms' \[PIO_USAGE\]\nremedy: /);
  });
});

describe("colours", loadingTime, () => {
  const red = "\u001b[1m\u001b[31merror:\u001b[39m\u001b[22m";
  const fails = ["validate", "--archive", fixture("good"), "--source-config", '{"count": "x"}'];

  it("show where an error begins, on a terminal", async () => {
    const { stderr } = await cli(fails, { terminal: true });
    expect(stderr.startsWith(red)).toBe(true);
    expect(stderr).toContain("\u001b[36mremedy:\u001b[39m ");
  });

  it.each([{ NO_COLOR: "1" }, { NO_COLOR: "false" }, { TERM: "dumb" }])(
    "are left out with %j",
    async (env) => {
      expect((await cli(fails, { terminal: true, env })).stderr).toMatch(/^error: .*\nremedy: /);
    },
  );

  it("are there with an empty NO_COLOR, as its convention says", async () => {
    expect((await cli(fails, { terminal: true, env: { NO_COLOR: "" } })).stderr).toContain(red);
  });

  it("are left out of files and pipes", async () => {
    expect((await cli(fails)).stderr).not.toContain("\u001b");
  });
});
