import { describe, expect, it } from "vitest";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

const source = ["--archive", fixture("good")];

describe("an option that is given twice", loadingTime, () => {
  it.each([
    [
      ["validate", ...source, "--source-config", '{"count": 1}', "--source-config", '{"count": 2}'],
      "--source-config",
    ],
    [["validate", "-a", "x", "--archive=y"], "--archive"],
    [["run", "--sourceType", "a", "--source-type", "b"], "--source-type"],
    [["partitions", "--json", "reset", "--json", "--to", "LATEST", ...source], "--json"],
    [["connectors", "list", "--json", "--json"], "--json"],
  ])("is refused: %j", async (args, flag) => {
    const { code, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toBe(`error: ${flag} is given twice [PIO_USAGE]\nremedy: give ${flag} once\n`);
  });

  it("does not count what the environment says", async () => {
    const { code } = await cli(["validate", ...source], { env: { PULSAR_TS_IO_ARCHIVE: fixture("good") } });
    expect(code).toBe(0);
  });
});
