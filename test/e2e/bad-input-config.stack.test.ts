import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Attempt, type AttemptChanges } from "../harness/attempt.ts";
import { runCli } from "../harness/cli.ts";
import { failedStart } from "../harness/failed-start.ts";
import { KinesisStream } from "../harness/kinesis-stream.ts";
import { describeWithStack, uniqueName } from "../stack.ts";

const brokenJson = '{"awsKinesisStreamName": "orders",, "awsRegion": "us-east-1"}';
const brokenYaml = "configs:\n  awsKinesisStreamName: orders\n awsRegion: us-east-1\n";
/** As a web page lost the indentation of the documents' example. */
const unindentedYaml = "configs:\nawsKinesisStreamName: orders\nawsRegion: us-east-1\n";
const assumeRole = "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin";
const role = { roleArn: "arn:aws:iam::123456789012:role/reader", roleSessionNmae: "nightly" };

interface Row {
  readonly what: string;
  readonly changes: AttemptChanges;
  readonly code: string;
  readonly error: string;
  readonly remedy: string;
}

const rows: readonly Row[] = [
  {
    what: "malformed JSON",
    changes: { configText: brokenJson },
    code: "PIO_CONFIG_SYNTAX",
    error: "--source-config is not valid JSON at line 1, column 35: this is not expected here",
    remedy: "check the quotes, commas and brackets up to this place",
  },
  {
    what: "JSON that ends too early",
    changes: { configText: '{"awsKinesisStreamName": "orders"' },
    code: "PIO_CONFIG_SYNTAX",
    error:
      '--source-config is not valid JSON at line 1, column 34: the "{" of line 1, column 1 is not closed',
    remedy: 'add the missing "}"',
  },
  {
    what: "malformed YAML",
    changes: { configText: brokenYaml },
    code: "PIO_CONFIG_SYNTAX",
    error:
      "--source-config is not valid YAML at line 3, column 1: the indentation does not fit the lines above",
    remedy: "indent the keys of one mapping alike",
  },
  {
    what: "keys beside an empty configs:",
    changes: { configText: unindentedYaml },
    code: "PIO_CONFIG_SYNTAX",
    error: '"configs:" in --source-config is empty, and 2 keys stand beside it instead of below it',
    remedy: 'indent the lines after "configs:" by two spaces',
  },
  {
    what: "a text that is no mapping",
    changes: { configText: "orders" },
    code: "PIO_CONFIG_SYNTAX",
    error: "--source-config is a text, not a mapping of settings",
    remedy: "with a space after the colon",
  },
  {
    what: "a missing stream",
    changes: { config: { awsKinesisStreamName: undefined } },
    code: "PIO_INVALID_CONFIG",
    error:
      "the config is not valid: awsKinesisStreamName: is required (set awsKinesisStreamName: The Kinesis stream name.)",
    remedy: "pulsar-ts-io connectors describe",
  },
  {
    what: "a misspelt setting",
    changes: { config: { awsKinesisStreamNmae: "orders" } },
    code: "PIO_INVALID_CONFIG",
    error:
      "the config is not valid: awsKinesisStreamNmae: is not a known setting (did you mean awsKinesisStreamName?)",
    remedy: "correct it as said above",
  },
  {
    what: "an application name with spaces, as in the documents",
    changes: { config: { applicationName: "My test application" } },
    code: "PIO_INVALID_CONFIG",
    error:
      'the config is not valid: applicationName: must be 3 to 255 characters of a-zA-Z0-9_.-, got "My test application" (did you mean My-test-application?)',
    remedy: "correct it as said above",
  },
  {
    what: "a topic of another domain",
    changes: { topic: "persistant://public/default/orders" },
    code: "PIO_INVALID_TOPIC_NAME",
    error: '"persistant://public/default/orders" is no topic name: its domain is "persistant"',
    remedy: "start it with persistent:// or non-persistent://",
  },
  {
    what: "a topic without a namespace",
    changes: { topic: "persistent://public/orders" },
    code: "PIO_INVALID_TOPIC_NAME",
    error: '"persistent://public/orders" is no topic name: it has 2 parts between slashes',
    remedy: "write persistent://tenant/namespace/topic",
  },
  {
    what: "a tenant with a space",
    changes: { topic: "persistent://pub lic/default/orders" },
    code: "PIO_INVALID_TOPIC_NAME",
    error: '"persistent://pub lic/default/orders" is no topic name: "pub lic" is no tenant name',
    remedy: "use letters, digits and any of - = : . _ for the tenant",
  },
  {
    what: "the admin address as service URL",
    changes: { serviceUrl: "http://localhost:8080" },
    code: "PIO_INVALID_SERVICE_URL",
    error:
      '"http://localhost:8080" is no Pulsar service URL: http is the admin address, records go over the binary protocol',
    remedy: "write pulsar://host:6650",
  },
  {
    what: "an authentication plugin that is not there",
    changes: { args: ["--client-auth-plugin", "org.example.Sesame"] },
    code: "PIO_UNSUPPORTED_AUTHENTICATION",
    error: "the authentication plugin org.example.Sesame is not supported",
    remedy: "org.apache.pulsar.client.impl.auth.AuthenticationToken",
  },
  {
    what: "an unknown flag",
    changes: { args: ["--destination-topic-nmae", "orders"] },
    code: "PIO_USAGE",
    error: "unknown option '--destination-topic-nmae'",
    remedy: "did you mean --destination-topic-name?",
  },
];

describeWithStack("a start with a wrong flag, file or setting", (stack) => {
  let stream: KinesisStream;
  let folder: string;

  beforeAll(async () => {
    stream = await KinesisStream.create(stack.kinesisEndpoint, uniqueName("bad-config"), 1);
    folder = await mkdtemp(join(tmpdir(), "pulsar-ts-io-bad-config-"));
  });

  afterAll(async () => {
    await stream[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it.concurrent.each(rows)("ends with 2 and opens nothing: $what", async ({ changes, ...expected }) => {
    const attempt = new Attempt(stack, stream.name);
    const failure = await attempt.fails(changes);
    expect(failure).toMatchObject({
      exitCode: 2,
      code: expected.code,
      error: expected.error,
      problems: [],
      remedy: expect.stringContaining(expected.remedy),
      log: [],
    });
    await attempt.expectNothingDone();
  });

  it.concurrent("tells everything that is wrong at once", async () => {
    const attempt = new Attempt(stack, stream.name);
    const config = {
      awsKinesisStreamNmae: "orders",
      receiveQueueSize: "many",
      applicationName: "My test application",
      awsCredentialPluginName: assumeRole,
      awsCredentialPluginParam: JSON.stringify(role),
    };
    const failure = await attempt.fails({ config, args: ["--producer-config", '{"compresionType": "LZ4"}'] });
    expect(failure).toMatchObject({
      exitCode: 2,
      code: "PIO_INVALID_CONFIG",
      error: "the config is not valid: 5 problems",
    });
    for (const problem of [
      /^awsKinesisStreamNmae: is not a known setting \(did you mean awsKinesisStreamName\?\)$/,
      /^receiveQueueSize: must be an integer, got "many"/,
      /^applicationName: .*\(did you mean My-test-application\?\)$/,
      /^awsCredentialPluginParam\.roleSessionNmae: is not a known setting: .*\(did you mean roleSessionName\?\)$/,
      /^producerConfig\.compresionType: is not a known setting \(did you mean compressionType\?\)$/,
    ]) {
      expect(failure.problems).toContainEqual(expect.stringMatching(problem));
    }
    await attempt.expectNothingDone();
  });

  it.concurrent("validate --json says the same on standard output", async () => {
    const attempt = new Attempt(stack, stream.name);
    const [, ...flags] = attempt.args({
      config: { awsKinesisStreamNmae: "o", applicationName: "My test application" },
    });
    const { code, stdout, stderr } = await runCli(["validate", "--json", ...withoutBroker(flags)]);
    expect(code, stderr).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      connector: "kinesis",
      problems: [
        { path: "awsKinesisStreamNmae", remedy: "did you mean awsKinesisStreamName?" },
        {
          path: "applicationName",
          value: '"My test application"',
          remedy: "did you mean My-test-application?",
        },
      ],
    });
  });

  it.concurrent("names the file that does not hold what it should", async () => {
    const json = join(folder, "config.json");
    const yaml = join(folder, "config.yaml");
    await Promise.all([writeFile(json, brokenJson), writeFile(yaml, brokenYaml)]);
    const ofFile = async (path: string) =>
      await failedStart(["run", "-t", "kinesis", "-o", "orders", "--source-config-file", path]);
    expect(await ofFile(json)).toMatchObject({
      exitCode: 2,
      code: "PIO_CONFIG_SYNTAX",
      error: `${json} is not valid JSON at line 1, column 35: this is not expected here`,
    });
    expect(await ofFile(yaml)).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining(`${yaml} is not valid YAML at line 3`),
    });
    expect(await ofFile(folder)).toMatchObject({
      exitCode: 2,
      code: "PIO_CONFIG_FILE",
      error: `the config file ${folder} is a directory`,
      remedy: "name the file in it",
    });
    expect(await ofFile(join(folder, "nowhere.yaml"))).toMatchObject({
      exitCode: 2,
      code: "PIO_CONFIG_FILE",
      error: `the config file ${join(folder, "nowhere.yaml")} does not exist`,
      remedy: "check the path",
    });
  });
});

/** `validate` connects to nothing: it has no flags for it. */
function withoutBroker(flags: readonly string[]): readonly string[] {
  const ofRun = ["--broker-service-url", "--max-restarts"];
  return flags.filter((flag, at) => !ofRun.includes(flag) && !ofRun.includes(flags[at - 1] ?? ""));
}
