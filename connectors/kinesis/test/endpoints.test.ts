import { describe, expect, it } from "vitest";
import { readAwsEnvironment } from "../src/aws-environment.ts";
import { resolveEndpoints } from "../src/endpoints.ts";
import { KinesisConfigError } from "../src/index.ts";
import { options } from "./kinesis-config.ts";

function resolved(config: Record<string, string>, env: Record<string, string> = {}) {
  const { awsRegion: _region, ...others } = options();
  return resolveEndpoints({ ...others, ...config }, readAwsEnvironment(env));
}

describe("the region", () => {
  it.each([
    [{ awsRegion: "eu-west-1" }, { AWS_REGION: "us-west-2" }, "eu-west-1"],
    [{}, { AWS_REGION: "us-west-2", AWS_DEFAULT_REGION: "us-west-1" }, "us-west-2"],
    [{}, { AWS_REGION: " ", AWS_DEFAULT_REGION: "us-west-1" }, "us-west-1"],
    [{ awsEndpoint: "https://kinesis.eu-central-1.amazonaws.com" }, {}, "eu-central-1"],
    [{ awsEndpoint: "https://kinesis-fips.us-gov-west-1.api.aws" }, {}, "us-gov-west-1"],
    [{ awsEndpoint: "https://vpce-0a1b-2c.kinesis.ap-southeast-2.vpce.amazonaws.com" }, {}, "ap-southeast-2"],
    [{ awsEndpoint: "https://kinesis.cn-north-1.amazonaws.com.cn/" }, {}, "cn-north-1"],
    [
      { awsEndpoint: "http://localhost:4567", dynamoEndpoint: "https://dynamodb.eu-west-3.amazonaws.com" },
      {},
      "eu-west-3",
    ],
    [{ awsEndpoint: "https://kinesis.eu-west-1.amazonaws.com" }, { AWS_REGION: "us-west-2" }, "us-west-2"],
    [{ awsEndpoint: "http://localhost:4566" }, {}, "us-east-1"],
    [{ cloudwatchEndpoint: "http://localhost:4566" }, {}, "us-east-1"],
    [{}, { AWS_ENDPOINT_URL: "http://localhost.localstack.cloud:4566" }, "us-east-1"],
    [{ awsEndpoint: "https://evil.example/kinesis.eu-west-1.amazonaws.com" }, {}, "us-east-1"],
  ])("of %j in %j is %s", (config, env, region) => {
    expect(resolved(config, env).region).toBe(region);
  });

  it("is asked for when nothing says where AWS is", () => {
    expect(() => resolved({})).toThrow(KinesisConfigError);
    expect(() =>
      resolved({}, { AWS_ENDPOINT_URL: "http://x", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }),
    ).toThrow("neither a region nor an endpoint is configured");
  });
});

describe("an endpoint", () => {
  const env = {
    AWS_ENDPOINT_URL: "http://all",
    AWS_ENDPOINT_URL_DYNAMODB: "http://dynamo",
    AWS_ENDPOINT_URL_STS: "http://sts",
  };

  it("comes from the settings, then from its own variable, then from the one for all", () => {
    expect(resolved({ awsEndpoint: "http://set" }, env)).toMatchObject({
      kinesis: "http://set",
      dynamodb: "http://dynamo",
      cloudwatch: "http://all",
      sts: "http://sts",
    });
  });

  it("is AWS's own without any of them", () => {
    expect(resolved({ awsRegion: "eu-west-1" })).toEqual({
      region: "eu-west-1",
      kinesis: undefined,
      dynamodb: undefined,
      cloudwatch: undefined,
      sts: undefined,
      cloudwatchUnknown: false,
      leftAtAws: [],
    });
  });
});

describe("the services left at AWS while another goes elsewhere", () => {
  const sts = "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin";
  it.each([
    [{ awsEndpoint: "http://localhost:4567" }, {}, ["dynamodb", "cloudwatch"]],
    [{ awsEndpoint: "http://localhost:4567", cloudwatchMetricsLevel: "NONE" }, {}, ["dynamodb"]],
    [{ dynamoEndpoint: "http://localhost:8000" }, {}, ["kinesis", "cloudwatch"]],
    [{ awsEndpoint: "http://localhost:1", dynamoEndpoint: "http://localhost:2" }, {}, []],
    [{ awsEndpoint: "https://vpce-0a.kinesis.eu-west-1.vpce.amazonaws.com" }, {}, []],
    [
      {
        awsEndpoint: "https://vpce-0a.kinesis.eu-west-1.vpce.amazonaws.com",
        dynamoEndpoint: "http://localhost:2",
      },
      {},
      ["kinesis", "cloudwatch"],
    ],
    [{}, { AWS_ENDPOINT_URL: "http://localhost:4566" }, []],
    [
      {
        awsEndpoint: "http://localhost:1",
        dynamoEndpoint: "http://localhost:2",
        awsCredentialPluginName: sts,
      },
      {},
      ["sts"],
    ],
    [{ awsCredentialPluginName: sts }, { AWS_ENDPOINT_URL: "http://localhost:4566" }, []],
  ])("with %j in %j are %j", (config, env, services) => {
    expect(resolved({ awsRegion: "eu-west-1", ...config }, env).leftAtAws).toEqual(services);
  });
});
