import { describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { cli, FakeProcess, fixture, loadingTime } from "../support/fake-process.ts";

const from = (name: string) => ["run", "--archive", fixture(name), "--dry-run"];
const settings = (config: object) => ["--source-config", JSON.stringify(config)];

describe("pulsar-ts-io run --dry-run", loadingTime, () => {
  it("prints ten records as a consumer would see them, and needs no topic", async () => {
    const { code, stdout, stderr } = await cli([
      ...from("with-tools"),
      ...settings({ count: 50, label: "peek" }),
    ]);
    expect(code).toBe(0);
    expect(
      stdout.match(/^----- got message -----\nkey:\[k\], properties:\[\], content:peek \d+$/gm),
    ).toHaveLength(10);
    expect(stderr).toBe("dry run: 10 records shown; nothing was taken and nothing written\n");
  });

  it.each([["=4"], [" 4"]])("prints as many as --dry-run%s says", async (count) => {
    const [flag = "", ...value] = `--dry-run${count}`.split(" ");
    const args = ["run", "--archive", fixture("with-tools"), flag, ...value, ...settings({ count: 50 })];
    expect((await cli(args)).stdout.match(/got message/g)).toHaveLength(4);
  });

  it("prints a line of JSON for each record with --json, and nothing else there", async () => {
    const args = [...from("with-tools"), "--json", ...settings({ count: 2, label: "peek" })];
    const { code, stdout } = await cli(args);
    expect(code).toBe(0);
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({ key: "k" });
    expect(Buffer.from(records[0].value, "base64").toString()).toMatch(/^peek \d+$/);
  });

  it("is what --json of a run is for: a run without it says so, and runs", async () => {
    const proc = new FakeProcess(["run", "--archive", fixture("good"), "--output", "console", "--json"]);
    const ending = runCli(proc, []);
    await proc.shows("source opened");
    proc.emit("SIGTERM");
    await ending;
    expect(await proc.exited).toBe(0);
    expect(proc.stderr.text).toContain("--json has an effect with --dry-run alone");
  });

  it("says so when there are no more", async () => {
    const { stderr } = await cli([...from("with-tools"), ...settings({ count: 2 })]);
    expect(stderr).toContain("2 records shown, there are no more now; nothing was taken");
  });

  it("can be asked for in the environment", async () => {
    const args = ["run", "--archive", fixture("with-tools"), ...settings({ count: 50 })];
    const shown = async (value: string) =>
      (await cli(args, { env: { PULSAR_TS_IO_DRY_RUN: value } })).stdout.match(/got message/g)?.length;
    expect([await shown("true"), await shown("3"), await shown("0")]).toEqual([10, 3, undefined]);
  });

  it("connects to nothing, but checks what a run would check", async () => {
    const bad = await cli([...from("with-tools"), "--use-tls", "maybe"]);
    expect(bad).toMatchObject({ code: 2, stdout: "" });
    const unreachable = ["--broker-service-url", "pulsar://127.0.0.1:1", "-o", "t"];
    expect(await cli([...from("with-tools"), ...unreachable])).toMatchObject({ code: 0 });
  });

  it.each([
    [
      "a config that is not valid",
      [...from("with-tools"), ...settings({ count: "x" })],
      2,
      "PIO_INVALID_CONFIG",
    ],
    ["a connector that cannot", from("good"), 3, "PIO_PLUGIN_TOOL_MISSING"],
    ["a source out of reach", [...from("with-tools"), ...settings({ label: "away" })], 4, "PIO_FIXTURE_AWAY"],
  ])("refuses %s", async (_, args, code, text) => {
    const outcome = await cli(args);
    expect(outcome).toMatchObject({ code, stdout: "" });
    if (code !== 4) expect(outcome.stderr).toContain(text);
  });
});
