import { ConfigValidator, formatProblem } from "@pulsar-ts-io/config";
import { describe, expect, it } from "vitest";
import { minimal, problemsOf, schema, warningsOf } from "./kinesis-config.ts";

const base = { awsRegion: "eu-west-1", awsKinesisStreamName: "my-stream" };
const packages = ["org.apache.pulsar.io.aws", "org.apache.pulsar.io.kinesis"];
const role = { roleArn: "arn:aws:iam::123456789012:role/reader", roleSessionName: "pulsar" };
const keys = { accessKey: "AKIA", secretKey: "shh" };

function names(problems: readonly string[]): readonly string[] {
  return problems.map((problem) => problem.slice(0, problem.indexOf(":")));
}

describe("without a credential plugin", () => {
  it("asks for the parameters, once", () => {
    expect(problemsOf(base)).toEqual([
      "awsCredentialPluginParam: is required: without awsCredentialPluginName it holds accessKey and secretKey (set awsCredentialPluginParam)",
    ]);
  });

  it.each([
    [{}, ["awsCredentialPluginParam.accessKey", "awsCredentialPluginParam.secretKey"]],
    [{ accessKey: "AKIA" }, ["awsCredentialPluginParam.secretKey"]],
    [{ accessKey: "AKIA", secretKey: "" }, ["awsCredentialPluginParam.secretKey"]],
    [keys, []],
    [{ ...keys, sessionToken: "t" }, []],
  ])("given %j misses %j", (param, missing) => {
    for (const written of [param, JSON.stringify(param)]) {
      expect(names(problemsOf({ ...base, awsCredentialPluginParam: written }))).toEqual(missing);
    }
  });

  it("warns of a role that nobody assumes", () => {
    expect(names(warningsOf({ ...base, awsCredentialPluginParam: { ...keys, ...role } }))).toEqual([
      "awsCredentialPluginParam.roleArn",
      "awsCredentialPluginParam.roleSessionName",
    ]);
  });
});

describe.each(packages)("with the plugins of %s", (javaPackage) => {
  const chain = { ...base, awsCredentialPluginName: `${javaPackage}.AwsDefaultProviderChainPlugin` };
  const sts = { ...base, awsCredentialPluginName: `${javaPackage}.STSAssumeRoleProviderPlugin` };

  it("the default chain needs no parameters, and says that it looks at none, whatever they are", () => {
    expect(problemsOf(chain)).toEqual([]);
    expect(problemsOf({ ...chain, awsCredentialPluginParam: "not json" })).toEqual([]);
    expect(warningsOf({ ...chain, awsCredentialPluginParam: "not json" })).toEqual([
      "awsCredentialPluginParam: has no effect: the default provider chain takes no parameters (remove awsCredentialPluginParam)",
    ]);
  });

  it.each([
    [undefined, ["awsCredentialPluginParam"]],
    [{}, ["awsCredentialPluginParam.roleArn", "awsCredentialPluginParam.roleSessionName"]],
    [{ roleArn: role.roleArn }, ["awsCredentialPluginParam.roleSessionName"]],
    [{ ...role, roleArn: "reader" }, ["awsCredentialPluginParam.roleArn"]],
    [role, []],
  ])("a role given as %j misses %j", (param, missing) => {
    expect(names(problemsOf({ ...sts, awsCredentialPluginParam: param }))).toEqual(missing);
  });

  it("says of the documents' own misspelling that it is one", () => {
    const param = { roleArn: role.roleArn, roleSessionNmae: "pulsar" };
    expect(problemsOf({ ...sts, awsCredentialPluginParam: JSON.stringify(param) })).toEqual([
      "awsCredentialPluginParam.roleSessionNmae: is not a known setting: the documents misspell this name in their text; " +
        "their example and Java have roleSessionName (did you mean roleSessionName?)",
    ]);
  });

  it("warns that keys do not assume the role", () => {
    expect(names(warningsOf({ ...sts, awsCredentialPluginParam: { ...role, ...keys } }))).toEqual([
      "awsCredentialPluginParam.accessKey",
      "awsCredentialPluginParam.secretKey",
    ]);
  });
});

describe("the region", () => {
  function problemsWith(
    config: Record<string, unknown>,
    environment: Record<string, string>,
  ): readonly string[] {
    const { awsRegion: _region, ...others } = minimal;
    const result = new ConfigValidator(schema, { environment }).validate({ ...others, ...config });
    return result.kind === "valid" ? [] : result.problems.map(formatProblem);
  }

  it("is asked for when nothing says where AWS is", () => {
    expect(problemsWith({}, {})).toEqual([
      expect.stringMatching(
        /^awsRegion: is required: .*\(set awsRegion, or awsEndpoint or .* or AWS_REGION or .* in the environment\)$/,
      ),
    ]);
  });

  it.each(["awsEndpoint", "dynamoEndpoint", "cloudwatchEndpoint"])("may be missing beside %s", (name) => {
    expect(problemsWith({ [name]: "http://localhost:4566" }, {})).toEqual([]);
  });

  it.each([
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_KINESIS",
    "AWS_ENDPOINT_URL_DYNAMODB",
  ])("may be missing when the environment has %s", (name) => {
    expect(problemsWith({}, { [name]: "x" })).toEqual([]);
  });
});

describe("the start", () => {
  it("at a point in time needs one", () => {
    expect(names(problemsOf({ ...minimal, initialPositionInStream: "AT_TIMESTAMP" }))).toEqual([
      "startAtTime",
    ]);
    for (const startAtTime of ["2019-03-05T19:28:58.000Z", 1_551_814_138_000, "1551814138000"]) {
      expect(problemsOf({ ...minimal, initialPositionInStream: "AT_TIMESTAMP", startAtTime })).toEqual([]);
    }
  });
});

describe("a setting that the others leave without effect", () => {
  it.each([
    [{ useEnhancedFanOut: false }, []],
    [{ useEnhancedFanOut: false, fallbackToPolling: "true" }, ["fallbackToPolling"]],
    [{ kplDeaggregation: false }, []],
    [{ kplDeaggregation: false, kplHashRangeFilter: "off" }, ["kplHashRangeFilter"]],
  ])("is warned of when it was changed, and not when it is what it is by default: %j", (changes, warned) => {
    expect(names(warningsOf({ ...minimal, ...changes }))).toEqual(warned);
  });
});
