import { describe, expect, it } from "vitest";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

const source = ["validate", "--archive", fixture("good")];

describe("what somebody probably meant", loadingTime, () => {
  it.each([
    [["list"], "there is no command list", "use `pulsar-ts-io connectors list`"],
    [["help"], "there is no command help", "use `pulsar-ts-io --help`"],
    [["sources", "localrun", "--tenant", "t"], "there is no command sources localrun", "leave out"],
    [["sources"], "there is no command sources", "pulsar-ts-io run"],
  ])("is said for the command %j", async (args, message, remedy) => {
    const { code, stderr } = await cli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(remedy);
  });

  it.each(["config.yaml", "./conf/kinesis.json", "@config", "@/etc/source.yaml"])(
    "is said for the file name %s in place of a config",
    async (value) => {
      const { code, stderr } = await cli([...source, "--source-config", value]);
      expect(code).toBe(2);
      expect(stderr).toContain("--source-config takes the config itself, not the name of a file");
      expect(stderr).toContain("use --source-config-file");
    },
  );

  it("is said for the single quotes of cmd.exe, without the config in them", async () => {
    const { code, stderr } = await cli([...source, "--source-config", `'{"apiKey": "canary"}'`]);
    expect(code).toBe(2);
    expect(stderr).toContain("single quotes, which cmd.exe passes on");
    expect(stderr).not.toContain("canary");
  });

  it("is looked up in the help of run for an option, and in the connector's for its settings", async () => {
    const option = await cli([...source, "--parallelism", "many"]);
    expect(option.stderr).toContain("`pulsar-ts-io run --help` lists the options\n");
    expect(option.stderr).not.toContain("connectors describe");
    const setting = await cli([...source, "--source-config", '{"count": "many"}']);
    expect(setting.stderr).toContain(
      "`pulsar-ts-io connectors describe good` lists the connector's settings\n",
    );
    expect(setting.stderr).not.toContain("run --help");
  });

  it("is said with the help of the subcommand", async () => {
    const { stderr } = await cli(["partitions", "reset", "--archive", fixture("good")]);
    expect(stderr).toContain("see `pulsar-ts-io partitions reset --help`");
  });
});
