import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cli, fixture, loadingTime } from "../support/fake-process.ts";

function file(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "validate-")), "source.yaml");
  writeFileSync(path, text);
  return path;
}

function validate(...args: string[]) {
  return cli(["validate", "--archive", fixture("good"), ...args]);
}

describe("pulsar-ts-io validate", loadingTime, () => {
  it("says that a good config is valid, and runs no code of the connector", async () => {
    const outcome = await cli([
      "validate",
      "--archive",
      fixture("throws-on-load"),
      "--source-config",
      '{"count":1}',
    ]);
    expect(outcome).toEqual({
      code: 0,
      stdout: "the config of connector throws-on-load is valid\n",
      stderr: "",
    });
  });

  it("prints all problems at once, in the SourceConfig and in the connector's config", async () => {
    const path = file("parallelism: x\nserdeClassName: a.B\nconfigs:\n  count: none\n  apiKey: [1]\n");
    const { code, stderr } = await validate("--source-config-file", path);
    expect(code).toBe(2);
    for (const name of ["parallelism", "serdeClassName", "count", "apiKey"])
      expect(stderr).toContain(`- ${name}: `);
  });

  it.each([
    ["topicName: pulsar://x", "topicName"],
    ["logTopic: a/b", "logTopic"],
    ["customRuntimeOptions: {pulsarTsIo: {onRefused: dead-letter}}", "customRuntimeOptions"],
    [
      "producerConfig: {cryptoConfig: {encryptionKeys: [k], cryptoKeyReaderConfig: {defaultPublicKey: /k}}}",
      "producerConfig.cryptoConfig",
    ],
    [
      "customRuntimeOptions: {pulsarTsIo: {onRefused: skip, pulsarTransport: native}}",
      "producerConfig.batchingConfig",
    ],
  ])("says no to what a run would be refused for: %s", async (text, path) => {
    const source = ["--source-config-file", file(`name: n\n${text}\n`)];
    const { code, stdout } = await validate("--json", ...source);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ valid: false, problems: [{ path }] });
    const topic = text.startsWith("topicName") ? [] : ["-o", "t"];
    const run = await cli(["run", "--archive", fixture("throws-on-load"), ...source, ...topic]);
    expect(run.code).toBe(2);
  });

  it("prints its verdict as JSON, and still ends with 2", async () => {
    const { code, stdout } = await validate("--json", "--source-config", '{"count": "x"}');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      connector: "good",
      problems: [{ path: "count" }],
      warnings: [],
    });
  });

  it("takes a file without a field of SourceConfig for the connector's own config", async () => {
    const outcome = await validate("--source-config-file", file("count: 5\nlabel: x\n"));
    expect(outcome.code).toBe(0);
  });

  it("takes a file with a field of SourceConfig for a whole one, and suggests names for those that are none", async () => {
    const { code, stderr } = await validate(
      "--source-config-file",
      file("topicNmae: t\ntenant: a\nconfigs: {count: 1}\n"),
    );
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean topicName?");
  });

  it("explains the indentation when settings stand beside an empty configs", async () => {
    const { code, stderr } = await validate("--source-config-file", file("configs:\ncount: 1\nlabel: x\n"));
    expect(code).toBe(2);
    expect(stderr).toContain("indent the lines after");
  });

  it("warns about what has no effect, and goes on", async () => {
    const { code, stderr } = await validate(
      "--source-config-file",
      file("className: a.B\nruntimeFlags: -Xmx1g\n"),
    );
    expect(code).toBe(0);
    expect(stderr).toContain("warning: className: has no effect");
    expect(stderr).toContain("warning: runtimeFlags: has no effect");
  });

  it("says which reference leads nowhere, and never what one led to", async () => {
    const config = JSON.stringify({ label: `\${env:ABSENT}`, count: `\${env:SECRET}` });
    const outcome = await cli(["validate", "--archive", fixture("good"), "--source-config", config], {
      env: { SECRET: "canary" },
    });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain("ABSENT");
    expect(outcome.stderr + outcome.stdout).not.toContain("canary");
  });

  it("takes a sensitive setting from the secrets map, which may refer to the environment", async () => {
    const secrets = JSON.stringify({ apiKey: `\${env:SECRET}` });
    const good = await cli(["validate", "--archive", fixture("good"), "--secrets", secrets], {
      env: { SECRET: "s" },
    });
    expect(good.code).toBe(0);
    const bad = await cli(["validate", "--archive", fixture("good"), "--secrets", secrets]);
    expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining("secrets.apiKey: ") });
  });

  it("refuses secrets that only another provider could resolve", async () => {
    const { code, stderr } = await validate("--secrets", '{"apiKey": {"path": "p", "key": "k"}}');
    expect(code).toBe(2);
    expect(stderr).toContain("secrets.apiKey: says where the secret is");
  });
});
