import {
  ConfigSyntaxError,
  formatProblem,
  parseConfigText,
  resolveReferences,
  unwrapConfigs,
} from "@pulsar-ts-io/config";
import { describe, expect, it } from "vitest";
import { fileText, problemsOf, validate } from "./kinesis-config.ts";

function example(file: string): Record<string, unknown> {
  return unwrapConfigs(parseConfigText(fileText(`fixtures/${file}`), file), file);
}

describe.each(["documented-example.json", "documented-example.yaml"])("the documents' %s", (file) => {
  it("is refused for its application name only, which is no table name, with one that is", () => {
    expect(problemsOf(example(file))).toEqual([
      'applicationName: must be 3 to 255 characters of a-zA-Z0-9_.-, got "My test application" (did you mean My-test-application?)',
    ]);
  });

  it("is accepted with that name, with one warning for the time that has no effect", () => {
    const result = validate({ ...example(file), applicationName: "My-test-application" });
    expect(result.warnings.map(formatProblem)).toEqual([
      "startAtTime: has no effect: only AT_TIMESTAMP starts at a point in time (remove startAtTime)",
    ]);
    expect(result).toMatchObject({
      kind: "valid",
      config: {
        awsEndpoint: "https://some.endpoint.aws",
        awsRegion: "us-east-1",
        awsKinesisStreamName: "my-stream",
        awsCredentialPluginParam: '{"accessKey":"myKey","secretKey":"my-Secret"}',
        applicationName: "My-test-application",
        checkpointInterval: 30_000,
        backoffTime: 4_000,
        numRetries: 3,
        receiveQueueSize: 2_000,
        initialPositionInStream: "TRIM_HORIZON",
        startAtTime: "2019-03-05T19:28:58.000Z",
        useEnhancedFanOut: true,
        messageKeyMode: "PARTITION_KEY",
      },
    });
  });
});

describe("the hub's quick start", () => {
  it("has its settings beside configs, and is told to indent them", () => {
    const failed = () => example("hub-quick-start.yaml");
    expect(failed).toThrow(ConfigSyntaxError);
    expect(failed).toThrow(
      '"configs:" in hub-quick-start.yaml is empty, and 4 keys stand beside it instead of below it',
    );
  });

  it("has placeholders that are refused one by one once it is indented", () => {
    const text = fileText("fixtures/hub-quick-start.yaml").replace(/^(?!configs:)(?=.)/gm, "  ");
    const problems = problemsOf(unwrapConfigs(parseConfigText(text, "x"), "x"));
    expect(problems.map((problem) => problem.slice(0, problem.indexOf(":")))).toEqual([
      "awsCredentialPluginParam.accessKey",
      "awsCredentialPluginParam.secretKey",
      "awsKinesisStreamName",
      "awsRegion",
      "applicationName",
    ]);
  });

  it("names an access key with a line end, which AWS would refuse in a header, and does not show it", async () => {
    const config = {
      awsRegion: "us-east-1",
      awsKinesisStreamName: "my-stream",
      awsCredentialPluginParam: `{"accessKey":"\${env:K}","secretKey":"b"}`,
    };
    const sources = {
      env: { K: "AKIA\n\n" },
      readFile: () => Promise.reject(new Error("none")),
      secrets: {},
    };
    const [problem = "", ...more] = problemsOf(await resolveReferences(config, sources));
    expect(more).toEqual([]);
    expect(problem).toMatch(/^awsCredentialPluginParam\.accessKey: contains a line end, must be/);
    expect(problem).not.toContain("AKIA");
  });
});
