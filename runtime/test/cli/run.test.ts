import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/cli.ts";
import { cli, FakeProcess, fixture, loadingTime } from "../support/fake-process.ts";

const encrypted = JSON.stringify({
  cryptoConfig: { cryptoKeyReaderConfig: { defaultPublicKey: "/k.pem" }, encryptionKeys: ["k"] },
});

function console_(connector: string, ...more: string[]): string[] {
  return ["run", "--archive", fixture(connector), "--output", "console", ...more];
}

describe("pulsar-ts-io run", loadingTime, () => {
  it("prints records to stdout and logs to stderr, until a signal ends it with 0", async () => {
    const proc = new FakeProcess(console_("good", "--source-config", '{"count": "2", "label": "hello"}'));
    const run = runCli(proc, []);
    await proc.shows("hello 2");
    proc.emit("SIGTERM");
    await run;
    expect(await proc.exited).toBe(0);
    expect(proc.stdout.text.match(/content:hello \d/g)).toEqual(["content:hello 1", "content:hello 2"]);
    const lines = proc.stderr.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).toEqual([
      "source opened, reading",
      "stop requested, draining",
      "reading stopped, waiting for receipts",
      "fixture closed",
      "run ended",
    ]);
    expect(lines[1]).toMatchObject({ reason: "SIGTERM received" });
    expect(lines.at(-2)).toMatchObject({ acknowledged: 2, source: "public/default/good" });
    expect(lines.at(-1)).toMatchObject({ received: 2, written: 2, inFlight: 0 });
  });

  it.each([
    ["throws-on-load", 3, "failed to load: this module cannot be loaded [PIO_PLUGIN_LOAD]"],
    ["no-source", 3, "is not a class [PIO_PLUGIN_CONTRACT]"],
    ["no-export", 3, "is not exported [PIO_PLUGIN_CONTRACT]"],
    ["other-version", 3, "for API version 2, and this runtime speaks 1 [PIO_PLUGIN_API_VERSION]"],
    ["missing-manifest", 3, "names no connector manifest [PIO_PLUGIN_MANIFEST]"],
    ["broken-manifest", 3, "is not valid YAML"],
    ["broken-schema", 3, "is not a JSON Schema"],
    ["leaving", 3, "leaves its directory"],
    ["failing-open", 4, "the source could not be opened: nothing answers there"],
    ["failing-read", 1, "the source failed: the well is dry"],
  ])("ends the connector %s with %i and one error", async (connector, code, message) => {
    const outcome = await cli(console_(connector, "--log-level", "error", "--max-restarts", "0"));
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).toMatch(/^error: .*\[PIO_\w+\]\nremedy: .*\n$/);
  });

  it("starts a source that fails again and again, until a signal ends it with 0", async () => {
    const proc = new FakeProcess(console_("failing-read"));
    const run = runCli(proc, []);
    await proc.shows('"restarts":2');
    proc.emit("SIGTERM");
    await run;
    expect(await proc.exited).toBe(0);
    expect(proc.stderr.text.match(/source opened/g)).toHaveLength(2);
    expect(proc.stderr.text).toContain("instance failed, it is started again after a pause");
  });

  it("shows stacks only at log level debug", async () => {
    const quiet = await cli(console_("failing-read", "--max-restarts", "0"));
    expect(quiet.stderr).not.toMatch(/\n {4}at /);
    const loud = await cli(console_("failing-read", "--max-restarts", "0", "--log-level", "debug"));
    expect(loud.stderr).toMatch(/the well is dry\n {4}at /);
  });

  it("finds Pulsar where client.conf says, unless a flag says otherwise", async () => {
    const directory = mkdtempSync(join(tmpdir(), "client-conf-"));
    const file = join(directory, "client.conf");
    writeFileSync(file, "# comment\nbrokerServiceUrl=ftp://somewhere\n");
    const args = ["run", "--archive", fixture("good"), "-o", "t"];
    const env = { PULSAR_CLIENT_CONF: file };
    const fromFile = await cli(args, { env });
    expect(fromFile).toMatchObject({ code: 2, stderr: expect.stringContaining("ftp://somewhere") });
    const fromFlag = await cli([...args, "--broker-service-url", "gopher://x"], { env });
    expect(fromFlag.stderr).toContain("gopher://x");
  });

  it.each([
    ["no connector", ["run"], "no connector is named"],
    ["no topic", ["run", "--archive", fixture("good")], "no destination topic is given"],
    ["an unknown flag", ["run", "--sorce-type", "x"], "did you mean --source-type?"],
    ["an unknown output", console_("good", "--output", "printer"), "Allowed choices are pulsar, console"],
    [
      "an unknown transport",
      console_("good", "--pulsar-transport", "smoke"),
      "Allowed choices are wire, native",
    ],
    [
      "encryption by the transport that has none",
      ["run", "--archive", fixture("good"), "-o", "t", "--producer-config", encrypted],
      "--pulsar-transport native",
    ],
    ["a topic that is none", ["run", "--archive", fixture("good"), "-o", "a/b"], "PIO_INVALID_TOPIC_NAME"],
    ["an instance id that is none", console_("good", "--instance-id", "x"), "must be an integer"],
    [
      "a drain time-out that is none",
      console_("good", "--drain-timeout", "soon"),
      "such as 30s, 500ms or 2m",
    ],
    ["a number of restarts that is none", console_("good", "--max-restarts", "-1"), "must be an integer"],
    ["malformed JSON", console_("good", "--source-config", '{"count":'), "is not valid JSON at line 1"],
    ["malformed YAML", console_("good", "--source-config", "a: b: c"), "is not valid YAML at line 1"],
    ["a directory for a file", console_("good", "--source-config-file", fixture("good")), "is a directory"],
    [
      "a file that is not there",
      console_("good", "--source-config-file", "./nowhere.yaml"),
      "does not exist",
    ],
    ["no file to watch", console_("good", "--watch"), "no file to watch"],
    ["standard input to watch", console_("good", "--watch", "--source-config-file", "-"), "no file to watch"],
    [
      "watching what is not run",
      console_("good", "--watch", "--dry-run", "--source-config-file", "x"),
      "exclude each other",
    ],
    [
      "two from standard input",
      console_("good", "--source-config", "-", "--source-config-file", "-"),
      "both read",
    ],
    ["two connectors", ["run", "-t", "x", "--archive", fixture("good")], "cannot specify both"],
    ["no instances", console_("good", "--parallelism", "-1"), "must be an integer of at least 1"],
    [
      "MANUAL where the connector does not acknowledge by itself",
      console_("good", "--processing-guarantees", "MANUAL"),
      "does not acknowledge its records by itself",
    ],
    [
      "an action for refused records that is none",
      console_("good", "--on-refused", "forget"),
      "Allowed choices are fail, skip, dead-letter",
    ],
    ["dead letters without a topic", console_("good", "--on-refused", "dead-letter"), "--dead-letter-topic"],
    [
      "a topic for dead letters that are not wanted",
      console_("good", "--dead-letter-topic", "x"),
      "has no effect with --on-refused fail",
    ],
    [
      "dead letters to the topic that refuses them",
      [
        ...["run", "--archive", fixture("good"), "-o", "t", "--on-refused", "dead-letter"],
        ...["--dead-letter-topic", "persistent://public/default/t"],
      ],
      "is the one that refuses",
    ],
    [
      "what the native transport cannot tell",
      [
        ...["run", "--archive", fixture("good"), "-o", "t", "--on-refused", "skip"],
        ...["--pulsar-transport", "native"],
      ],
      "does not tell a refused record from its batch",
    ],
    [
      "an admin address that is none",
      [
        ...["run", "--archive", fixture("good"), "-o", "t", "--processing-guarantees", "EFFECTIVELY_ONCE"],
        ...["--web-service-url", "pulsar://localhost"],
      ],
      "--web-service-url",
    ],
    ["a boolean that is none", console_("good", "--use-tls", "maybe"), "must be true or false"],
    [
      "settings that are none",
      console_("good", "--source-config", '{"cuont": 1, "count": "x"}'),
      "2 problems",
    ],
    [
      "a secrets provider that there is not",
      console_("good", "--secrets-provider-classname", "a.VaultSecretsProvider"),
      "use cleartext, env or file:/directory",
    ],
    [
      "a secret that is not there",
      console_("good", "--secrets", '{"apiKey": {"path": "db", "key": "pw"}}', "--secrets-provider", "env"),
      "secrets.apiKey: is in no environment variable: apiKey and DB_PW are not set",
    ],
    [
      "a secret that nobody looks for",
      console_("good", "--secrets", '{"apiKey": {"path": "db", "key": "pw"}}'),
      "secrets.apiKey: says where the secret is, and nobody was told to look there",
    ],
    ["an unknown command", ["rnu"], "did you mean run?"],
  ])("refuses %s with 2", async (_, args, message) => {
    const outcome = await cli(args);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).toMatch(/^remedy: /m);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
  });

  it.each([
    ["an unknown source type, listing those there are", ["run", "-t", "nope"], "available sources are: ["],
    ["a path with nothing there", ["run", "--archive", "./nothing-here"], "there is nothing at"],
    ["a Java archive", ["run", "--archive", "./pulsar-io.nar"], "is a Java archive"],
    ["a web address", ["run", "--archive", "https://example.org/x.tgz"], "cannot be fetched"],
  ])("refuses %s with 3", async (_, args, message) => {
    const outcome = await cli(args);
    expect(outcome).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining(message) });
  });

  it("understands the older spellings of pulsar-admin", async () => {
    const outcome = await cli([
      ...[
        "run",
        "--archive",
        fixture("good"),
        "--destinationTopicName",
        "a/b",
        "--tls_allow_insecure",
        "true",
      ],
      ...["--sourceConfig", '{"count": 1}', "--className", "x.Y", "-st", "bytes"],
    ]);
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining("PIO_INVALID_TOPIC_NAME") });
  });

  it("says which options of localrun have no effect, and runs", async () => {
    const proc = new FakeProcess(
      console_(
        "good",
        "--stateStorageServiceUrl",
        "bk://127.0.0.1:4181",
        "--secretsProviderClassname",
        "x.ClearTextSecretsProvider",
      ),
    );
    const run = runCli(proc, []);
    await proc.shows("record 3");
    proc.emit("SIGTERM");
    await run;
    expect(proc.stderr.text).toContain("--state-storage-service-url has no effect");
    expect(proc.stderr.text.match(/has no effect/g)).toHaveLength(1);
  });

  it("leaves acknowledging to a connector that says it does so, with MANUAL", async () => {
    const proc = new FakeProcess(console_("self-acknowledging", "--processing-guarantees", "MANUAL"));
    const run = runCli(proc, []);
    await proc.shows("record 3");
    proc.emit("SIGTERM");
    await run;
    expect(await proc.exited).toBe(0);
    expect(proc.stderr.text).toContain('"written":3');
  });

  it("ends with 1 when EFFECTIVELY_ONCE is asked of a connector that does not number its records", async () => {
    const outcome = await cli(console_("good", "--processing-guarantees", "EFFECTIVELY_ONCE"));
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toContain("PIO_UNNUMBERED_RECORD");
  });

  it("takes a config from standard input", async () => {
    const proc = new FakeProcess(console_("good", "--source-config-file", "-"), {
      stdin: "configs:\n  count: 1\n  label: piped\n",
    });
    const run = runCli(proc, []);
    await proc.shows("piped 1");
    proc.emit("SIGINT");
    await run;
    expect(await proc.exited).toBe(0);
  });

  it("never shows a secret, wherever it comes from", async () => {
    const proc = new FakeProcess(
      console_("good", "--source-config", JSON.stringify({ count: 1, apiKey: `\${env:KEY}` })),
      { env: { KEY: "canary-in-a-mine" } },
    );
    const run = runCli(proc, []);
    await proc.shows("record 1");
    proc.emit("SIGTERM");
    await run;
    expect(proc.stderr.text).toContain("(redacted)");
    expect(proc.stderr.text + proc.stdout.text).not.toContain("canary");
  });

  it.each([
    ["env", { DB_PW: "canary-in-a-mine" }],
    ["env", { apiKey: "canary-in-a-mine", DB_PW: "wrong" }],
    [
      "org.apache.pulsar.functions.secretsprovider.EnvironmentBasedSecretsProvider",
      { DB_PW: "canary-in-a-mine" },
    ],
    ["file", {}],
  ])("gives the connector the secret that %s finds, and shows it nowhere", async (provider, env) => {
    const directory = mkdtempSync(join(tmpdir(), "secrets-"));
    mkdirSync(join(directory, "db"));
    writeFileSync(join(directory, "db", "pw"), "canary-in-a-mine\n");
    const named = provider.includes(".") ? "--secrets-provider-classname" : "--secrets-provider";
    const proc = new FakeProcess(
      console_(
        "leaking",
        ...["--secrets", '{"apiKey": {"path": "db", "key": "pw"}}'],
        ...[named, provider === "file" ? `file:${directory}` : provider],
      ),
      { env },
    );
    await runCli(proc, []);
    expect(await proc.exited).toBe(4);
    expect(proc.stderr.text).toContain("it starts with cana");
    expect(proc.stderr.text).toContain("this is not accepted: (redacted)");
    expect(proc.stderr.text).toContain('"msg":"told in a sentence: (redacted)"');
    expect(proc.stderr.text + proc.stdout.text).not.toContain("canary");
  });

  it("replaces a text that is a name alone by the environment for the provider that does so in Java, too", async () => {
    const config = ["--source-config", `{"count": 1, "label": "\${LABEL}"}`];
    for (const [provider, shown] of [
      ["env", "from outside 1"],
      ["cleartext", `\${LABEL} 1`],
    ] as const) {
      const proc = new FakeProcess(console_("good", ...config, "--secrets-provider", provider), {
        env: { LABEL: "from outside" },
      });
      const run = runCli(proc, []);
      await proc.shows(shown);
      proc.emit("SIGTERM");
      await run;
    }
  });

  it("draws a live line on a terminal, and takes it away before the end", async () => {
    const proc = new FakeProcess(console_("good"), { terminal: true });
    const run = runCli(proc, []);
    await proc.shows("in flight");
    proc.emit("SIGTERM");
    await run;
    expect(proc.stderr.text).toMatch(/3 records {2}\d+\/s {2}lag 0 ms {2}0 in flight/);
    expect(proc.stderr.text).toContain(" INFO  run ended");
    expect(proc.stderr.text.endsWith("\n")).toBe(true);
  });

  it("ends with 0 when the reader of its output goes away", async () => {
    const proc = new FakeProcess(console_("good"));
    const run = runCli(proc, []);
    await proc.shows("record 3");
    proc.stdout.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await run;
    expect(await proc.exited).toBe(0);
  });
});
