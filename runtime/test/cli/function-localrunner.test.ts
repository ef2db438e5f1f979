import { mkdirSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { cli, FakeProcess, fixture, loadingTime } from "../support/fake-process.ts";

const toConsole = { PULSAR_TS_IO_OUTPUT: "console" };

/** The arguments that pulsar-admin 4.0.8 gives to function-localrunner, as recorded, with this SourceConfig. */
function argv(sourceConfig: object, ...more: readonly string[]): readonly string[] {
  return [
    "function-localrunner",
    ...["--sourceConfig", JSON.stringify(sourceConfig)],
    ...["--brokerServiceUrl", "pulsar://localhost:6650/"],
    ...["--useTls", "false"],
    ...["--tlsAllowInsecureConnection", "false"],
    ...["--tlsHostNameVerificationEnabled", "false"],
    ...more,
  ];
}

function sourceConfig(more: object = {}): object {
  return {
    tenant: "public",
    namespace: "default",
    name: "lr1",
    topicName: "my-topic",
    configs: { label: "local" },
    parallelism: 1,
    archive: fixture("good"),
    ...more,
  };
}

async function runs(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<FakeProcess> {
  const proc = new FakeProcess(args, { env: { ...toConsole, ...env } });
  const run = runCli(proc, []);
  await proc.shows("local 3");
  proc.emit("SIGTERM");
  await run;
  expect(await proc.exited).toBe(0);
  return proc;
}

describe("function-localrunner", loadingTime, () => {
  it("runs the source that pulsar-admin's localrun describes", async () => {
    const { stderr } = await runs(argv(sourceConfig()));
    expect(stderr.text).toContain('"source":"public/default/lr1"');
  });

  it("understands all that localrun can say", async () => {
    const { stderr } = await runs(
      argv(
        sourceConfig({ processingGuarantees: "ATMOST_ONCE", producerConfig: { compressionType: "ZSTD" } }),
        ...["--stateStorageServiceUrl", "bk://host:4181", "--clientAuthPlugin", "", "--clientAuthParams", ""],
        ...["--tlsTrustCertFilePath", "", "--secretsProviderConfig", "{}", "--metricsPortStart", "0"],
        ...[
          "--secretsProviderClassName",
          "org.apache.pulsar.functions.secretsprovider.ClearTextSecretsProvider",
        ],
        ...[
          "--instanceIdOffset",
          "2",
          "--runtime",
          "THREAD",
          "--exitOnError",
          "--stateStorageImplClass",
          "X",
        ],
      ),
    );
    expect(stderr.text).toContain("--state-storage-service-url has no effect");
  });

  it("finds connectors where Java's looks for them, in PULSAR_HOME", async () => {
    const home = mkdtempSync(join(tmpdir(), "pulsar-home-"));
    mkdirSync(join(home, "connectors"));
    symlinkSync(fixture("good"), join(home, "connectors", "good"));
    await runs(argv(sourceConfig({ archive: "builtin://good" })), { PULSAR_HOME: home });
  });

  it("is the instance that the offset says", async () => {
    const { stderr } = await runs(argv(sourceConfig(), "--instanceIdOffset", "3"));
    expect(stderr.text).toContain('"instanceId":3,"msg":"fixture closed"');
  });

  it("refuses an offset for a connector whose instances divide the work by their numbers", async () => {
    const generator = sourceConfig({ archive: "builtin://data-generator", configs: {} });
    const { code, stderr } = await cli(argv(generator, "--instanceIdOffset", "3"), { env: toConsole });
    expect(code).toBe(2);
    expect(stderr).toContain("an offset does not say how many there are on all machines together");
  });

  it("ends at the first failure when it is told to exit on errors", async () => {
    const args = argv(
      sourceConfig({ archive: fixture("failing-read"), configs: {} }),
      "--exitOnError",
      "true",
    );
    const { code, stderr } = await cli(args, { env: toConsole });
    expect({ code, restarted: stderr.includes("is started again") }).toEqual({ code: 1, restarted: false });
  });

  it("ends with the exit code of the run", async () => {
    expect((await cli(argv(sourceConfig({ configs: { count: "x" } })))).code).toBe(2);
    expect((await cli(argv(sourceConfig({ archive: "builtin://nobody" })))).code).toBe(3);
  });

  it.each([
    ["a function", ["function-localrunner", "--functionConfig", "{}"], "functions and sinks do not run here"],
    ["a sink", ["function-localrunner", "--sinkConfig", "{}"], "functions and sinks do not run here"],
    ["nothing", ["function-localrunner"], "there is no --sourceConfig"],
    ["no JSON", ["function-localrunner", "--sourceConfig", "{"], "--sourceConfig is not valid JSON"],
    ["something else", argv(sourceConfig(), "--windowLength", "1"), "unknown option '--window-length'"],
  ])("refuses %s with 2", async (_, args, text) => {
    expect(await cli(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) });
  });

  it("is not shown among the commands", async () => {
    expect((await cli(["--help"])).stdout).not.toContain("function-localrunner");
  });
});

describe("pulsar-ts-io localrun", loadingTime, () => {
  it("is another name for run", async () => {
    await runs(["localrun", "--archive", fixture("good"), "--sourceConfig", '{"label":"local"}', "-o", "t"]);
  });
});
