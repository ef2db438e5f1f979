import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { variableOf } from "../../src/cli/environment-options.ts";
import { everyCommand } from "../support/command-list.ts";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

async function validate(args: readonly string[], env: Readonly<Record<string, string>>) {
  const outcome = await cli(["validate", ...args], { env });
  return { ...outcome, text: outcome.stdout + outcome.stderr };
}

function file(content: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "environment-")), "source.yaml");
  writeFileSync(path, content);
  return path;
}

const good = { PULSAR_TS_IO_ARCHIVE: fixture("good") };
const bad = '{"count": "x"}';

describe("an option in the environment", loadingTime, () => {
  it("has a variable, whatever the command, unless it answers a question", () => {
    const options = everyCommand().flatMap(({ command }) => command.options);
    const without = options.filter((option) => variableOf(option) === undefined).map(({ long }) => long);
    expect(without).toEqual(["--version", "--yes"]);
    expect(options.map(variableOf)).toContain("PULSAR_TS_IO_BROKER_SERVICE_URL");
  });

  it("is warned of when it stands for no option, with the nearest name and without its value", async () => {
    const env = { ...good, PULSAR_TS_IO_PARALELISM: "canary", PULSAR_TS_IO_XYZZY: "canary" };
    const { code, stderr } = await validate([], env);
    expect(code).toBe(0);
    expect(stderr).toBe(
      "warning: PULSAR_TS_IO_PARALELISM in the environment stands for no option: did you mean PULSAR_TS_IO_PARALLELISM?\n" +
        "warning: PULSAR_TS_IO_XYZZY in the environment stands for no option: --help lists the options\n",
    );
  });

  it("is not warned of when Kubernetes set it for a Service of that name", async () => {
    const { stderr } = await validate([], {
      ...good,
      PULSAR_TS_IO_SERVICE_HOST: "10.0.0.1",
      PULSAR_TS_IO_SERVICE_PORT_HTTP: "9094",
      PULSAR_TS_IO_PORT: "tcp://10.0.0.1:9094",
      PULSAR_TS_IO_PORT_9094_TCP_ADDR: "10.0.0.1",
    });
    expect(stderr).toBe("");
  });

  it("counts as if it were given", async () => {
    const outcome = await validate([], {
      ...good,
      PULSAR_TS_IO_JSON: "true",
      PULSAR_TS_IO_SOURCE_CONFIG: bad,
    });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ connector: "good", valid: false });
  });

  it("is refused when it is the instance's number and empty: the pod has no label with it", async () => {
    const outcome = await cli(["run", "--output", "console"], {
      env: { ...good, PULSAR_TS_IO_INSTANCE_ID: "" },
    });
    expect(outcome).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("PULSAR_TS_IO_INSTANCE_ID in the environment is empty"),
    });
    expect(outcome.stderr).toContain("Kubernetes 1.28");
  });

  it("gives way to a flag", async () => {
    const env = { ...good, PULSAR_TS_IO_SOURCE_CONFIG: bad };
    expect(await validate(["--source-config", "{}"], env)).toMatchObject({ code: 0 });
    expect(await validate([], env)).toMatchObject({ code: 2 });
  });

  it("gives way to a flag after which it means nothing", async () => {
    const named = await validate(["--source-type", "nobody"], good);
    expect(named).toMatchObject({ code: 3, stderr: expect.stringContaining("nobody") });
    const given = await validate(["--archive", fixture("good")], { PULSAR_TS_IO_SOURCE_TYPE: "nobody" });
    expect(given).toMatchObject({ code: 0 });
  });

  it("outranks a file", async () => {
    const path = file(`archive: ${fixture("good")}\ntenant: not/valid\n`);
    const env = { PULSAR_TS_IO_SOURCE_CONFIG_FILE: path };
    expect(await validate([], env)).toMatchObject({ code: 2, stderr: expect.stringContaining("tenant") });
    expect(await validate([], { ...env, PULSAR_TS_IO_TENANT: "public" })).toMatchObject({ code: 0 });
  });

  it("reaches a command below a command", async () => {
    const env = { PULSAR_TS_IO_ARCHIVE: fixture("with-tools"), PULSAR_TS_IO_TO: "LATEST" };
    expect(await cli(["partitions", "reset", "--yes"], { env })).toMatchObject({
      code: 0,
      stdout: "all partitions of with-tools are at LATEST\n",
    });
    expect(
      await cli(["partitions", "reset", "--json", "--to", "TRIM_HORIZON", "--yes"], { env }),
    ).toMatchObject({
      stdout: expect.stringContaining('"kind": "trim-horizon"'),
    });
  });

  it("never answers a question", async () => {
    const env = {
      PULSAR_TS_IO_ARCHIVE: fixture("with-tools"),
      PULSAR_TS_IO_TO: "LATEST",
      PULSAR_TS_IO_YES: "true",
    };
    expect(await cli(["partitions", "reset"], { env })).toMatchObject({ code: 2 });
  });

  it.each(["", "false", "FALSE"])("is left out when a switch is %j", async (json) => {
    expect((await validate([], { ...good, PULSAR_TS_IO_JSON: json })).stdout).toContain("is valid\n");
  });

  it.each([
    [["validate"], { PULSAR_TS_IO_JSON: "yes" }, "PULSAR_TS_IO_JSON in the environment is not what --json"],
    [["validate"], { PULSAR_TS_IO_JSON: "yes" }, "It must be true or false."],
    [["run"], { PULSAR_TS_IO_LOG_LEVEL: "loud" }, "Allowed choices are debug, info, warn, error."],
    [["run"], { PULSAR_TS_IO_INSTANCE_ID: "-1" }, "PULSAR_TS_IO_INSTANCE_ID in the environment is not what"],
    [["run"], { PULSAR_TS_IO_LOG_FORMAT: "xml" }, "Allowed choices are json, pretty."],
  ])("of %j is refused as %j, by its name", async (args, env, text) => {
    expect(await cli(args, { env })).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
  });

  it("does not disturb a command that has no such option", async () => {
    expect(await cli(["connectors", "list"], { env: { PULSAR_TS_IO_LOG_LEVEL: "loud" } })).toMatchObject({
      code: 0,
    });
  });

  it("asks for stacks as the flag does", async () => {
    const args = ["run", "--archive", fixture("failing-read"), "--output", "console", "--max-restarts", "0"];
    const loud = await cli(args, { env: { PULSAR_TS_IO_LOG_LEVEL: "debug" } });
    expect(loud.stderr).toMatch(/the well is dry\n {4}at /);
    const quiet = await cli([...args, "--log-level", "info"], { env: { PULSAR_TS_IO_LOG_LEVEL: "debug" } });
    expect(quiet.stderr).not.toMatch(/\n {4}at /);
  });
});
