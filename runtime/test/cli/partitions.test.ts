import { describe, expect, it } from "vitest";
import { cli, type FakeProcessOptions, fixture, loadingTime } from "../support/fake-process.ts";

function partitions(config: string, ...args: string[]) {
  return cli(["partitions", "--archive", fixture("with-tools"), "--source-config", config, ...args]);
}

function reset(args: readonly string[], options: FakeProcessOptions & { readonly label?: string } = {}) {
  const config = JSON.stringify({ label: options.label ?? "fine" });
  const source = ["--archive", fixture("with-tools"), "--source-config", config];
  return cli(["partitions", "reset", ...source, ...args], options);
}

describe("pulsar-ts-io partitions", loadingTime, () => {
  it("shows who reads what, how far behind, and what is not known as a question mark", async () => {
    const { code, stdout, stderr } = await partitions('{"count": 3}');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "PARTITION  OWNER     SINCE                 AT WORK  LAG         POSITION  CHILDREN",
        "part-0     worker-a  2026-03-05T19:28:58Z  yes      1 min 23 s  17/0      -",
        "part-1     worker-b  ?                     no sign  ?           LATEST    -",
        "part-2     -         -                     -        finished    END       part-7,part-?[2J8",
        "",
        "3 partitions, 1 finished, 0 without owner, 2 owners, most behind: 1 min 23 s",
        "",
      ].join("\n"),
    );
    expect(stderr).toContain("the lag of some is not known");
    expect(stderr).not.toContain("canary");
  });

  it("prints one JSON document, and answers to its alias", async () => {
    const source = ["--archive", fixture("with-tools"), "--source-config", '{"count": 1}'];
    const { code, stdout } = await cli(["leases", ...source, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      connector: "with-tools",
      partitions: [
        {
          id: "part-0",
          owner: "worker-a",
          ownedSinceMs: Date.UTC(2026, 2, 5, 19, 28, 58, 123),
          ownerActive: true,
          lagMs: 83_000,
          position: "17/0",
        },
      ],
    });
  });

  it.each([
    ["own", "FIXTURE_OWN"],
    ["coded", "PIO_SOURCE_TOOL"],
  ])("shows the code that an author chose, as text and as JSON, and ends with 4: %s", async (label, code) => {
    const config = JSON.stringify({ label });
    const asText = await partitions(config);
    expect(asText).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`told to be ${label} [${code}]`),
    });
    const asJson = await partitions(config, "--json");
    expect(JSON.parse(asJson.stdout)).toMatchObject({ error: { code, exitCode: 4 } });
  });

  it("says so when there are none", async () => {
    const { stdout } = await partitions('{"label": "none"}');
    expect(stdout).toBe("no partitions: the source has not been started yet\n");
  });

  it("ends with 4 and the connector's code and remedy when the source is out of reach", async () => {
    const { code, stderr } = await partitions('{"label": "away"}');
    expect(code).toBe(4);
    expect(stderr).toBe("error: connector with-tools: told to be away [PIO_FIXTURE_AWAY]\nremedy: wait\n");
  });

  it("ends with 3 when the connector has no such tool, and with 2 when its config is wrong", async () => {
    const without = await cli(["partitions", "--archive", fixture("good")]);
    expect(without.code).toBe(3);
    expect(without.stderr).toContain(
      "error: connector good cannot list its partitions [PIO_PLUGIN_TOOL_MISSING]",
    );
    expect((await partitions('{"count": "x"}')).code).toBe(2);
  });

  it("shows examples in its help", async () => {
    const { stdout } = await cli(["partitions", "reset", "--help"]);
    expect(stdout).toContain("--to AT_TIMESTAMP --at 2026-03-05T19:28:58Z");
  });
});

describe("pulsar-ts-io partitions reset", loadingTime, () => {
  it.each([
    [["--to", "LATEST"], '{"kind":"latest"}'],
    [["--to", "TRIM_HORIZON"], '{"kind":"trim-horizon"}'],
    [["--to", "AT_TIMESTAMP", "--at", "1970-01-01T01:00:00+01:00"], '{"kind":"at-timestamp","epochMs":0}'],
    [["--to", "AT_TIMESTAMP", "--at", "1772738938000"], '{"kind":"at-timestamp","epochMs":1772738938000}'],
  ])("moves to %j", async (args, to) => {
    const { code, stdout, stderr } = await reset([...args, "--yes"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `all partitions of with-tools are at ${args[1]}\n`,
    });
    expect(stderr.replaceAll(/\s/g, "")).toContain(to);
  });

  it.each([
    ["no position", []],
    ["an unknown position", ["--to", "END"]],
    ["a time without its position", ["--to", "LATEST", "--at", "2026-03-05T19:28:58Z"]],
    ["a position without its time", ["--to", "AT_TIMESTAMP"]],
    ["a time without its zone", ["--to", "AT_TIMESTAMP", "--at", "2026-03-05T19:28:58"]],
    ["a day that is none", ["--to", "AT_TIMESTAMP", "--at", "2026-13-45T19:28:58Z"]],
  ])("refuses %s with 2", async (_, args) => {
    const { code, stderr } = await reset([...args, "--yes"]);
    expect(code).toBe(2);
    expect(stderr).not.toContain("fixture reset");
  });

  it("asks on a terminal, and moves only for a yes", async () => {
    const meant = await reset(["--to", "LATEST"], { terminal: true, stdin: "yes\n" });
    expect(meant.code).toBe(0);
    expect(meant.stderr).toContain("forgets every stored position of with-tools");
    expect(meant.stderr).toContain("fixture reset");
    const notMeant = await reset(["--to", "LATEST"], { terminal: true, stdin: "y\n" });
    expect(notMeant.code).toBe(2);
    expect(notMeant.stderr).not.toContain("fixture reset");
  });

  it("moves nothing without --yes where nobody can be asked", async () => {
    const { code, stderr } = await reset(["--to", "LATEST"], { stdin: "yes\n" });
    expect(code).toBe(2);
    expect(stderr).toContain("standard input is no terminal");
    expect(stderr).not.toContain("fixture reset");
  });

  it("ends with 6 while somebody reads", async () => {
    const { code, stderr } = await reset(["--to", "LATEST", "--yes"], { label: "held" });
    expect(code).toBe(6);
    expect(stderr).toBe("error: told to be held [PIO_PARTITIONS_HELD]\nremedy: wait\n");
  });
});
