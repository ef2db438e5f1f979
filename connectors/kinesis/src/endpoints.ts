import { isAwsEndpoint, readAwsHost } from "@pulsar-ts-io/kinesis-consumer";
import type { AwsEnvironment, AwsService } from "./aws-environment.ts";
import { KinesisConfigError } from "./errors.ts";
import type { KinesisSourceOptions } from "./generated/options.ts";

/** Where the calls go. An absent endpoint is AWS's own for the region. */
export interface AwsEndpoints {
  readonly region: string;
  readonly kinesis: string | undefined;
  readonly dynamodb: string | undefined;
  readonly cloudwatch: string | undefined;
  readonly sts: string | undefined;
  /** Metrics are wanted, but the other services are both elsewhere than at AWS and nobody says where CloudWatch is: there are none. */
  readonly cloudwatchUnknown: boolean;
  /** Services that go to AWS while another goes elsewhere; empty when all go the same way. Worth one warning. */
  readonly leftAtAws: readonly AwsService[];
}

/** With this region requests are signed when only an endpoint is known: emulators take any. */
const signingRegion = "us-east-1";

/**
 * Region and endpoints, from the settings first, then the environment.
 *
 * Java's connector asks for awsRegion or all three endpoints. Here a region that is missing beside an endpoint is read from the
 * endpoint's host (`kinesis.eu-west-1.amazonaws.com`), else it is us-east-1.
 *
 * @throws KinesisConfigError (`PIO_KINESIS_CONFIG`) when neither a region nor an endpoint is known.
 */
export function resolveEndpoints(options: KinesisSourceOptions, environment: AwsEnvironment): AwsEndpoints {
  const kinesis = options.awsEndpoint ?? environment.endpoints.kinesis;
  const dynamodb = options.dynamoEndpoint ?? environment.endpoints.dynamodb;
  const cloudwatch = options.cloudwatchEndpoint ?? environment.endpoints.cloudwatch;
  const { sts } = environment.endpoints;
  const known = [kinesis, dynamodb, cloudwatch].filter((endpoint) => endpoint !== undefined);
  const region = options.awsRegion ?? environment.region ?? regionOf(known);
  if (region === undefined) {
    throw new KinesisConfigError("neither a region nor an endpoint is configured, so AWS cannot be found", {
      remedy: "set awsRegion, or AWS_REGION in the environment",
    });
  }
  const measures = options.cloudwatchMetricsLevel !== "NONE";
  const cloudwatchUnknown =
    measures && cloudwatch === undefined && isElsewhere(kinesis) && isElsewhere(dynamodb);
  const used = {
    kinesis,
    dynamodb,
    ...(measures && !cloudwatchUnknown ? { cloudwatch } : {}),
    ...(assumesRole(options) ? { sts } : {}),
  };
  return { region, kinesis, dynamodb, cloudwatch, sts, cloudwatchUnknown, leftAtAws: leftAtAws(used) };
}

/** The region in the name of an AWS host, `us-east-1` for any other; `undefined` without endpoints. */
function regionOf(endpoints: readonly string[]): string | undefined {
  for (const endpoint of endpoints) {
    const region = readAwsHost(hostOf(endpoint))?.region;
    if (region !== undefined) return region;
  }
  return endpoints.length === 0 ? undefined : signingRegion;
}

function leftAtAws(endpoints: Partial<Record<AwsService, string | undefined>>): readonly AwsService[] {
  // Object.entries of a literal of ours: its keys are the services
  const services = Object.entries(endpoints) as [AwsService, string | undefined][];
  const left = services.filter(([, endpoint]) => !isElsewhere(endpoint)).map(([name]) => name);
  return left.length === services.length ? [] : left;
}

function assumesRole({ awsCredentialPluginName }: KinesisSourceOptions): boolean {
  return awsCredentialPluginName?.endsWith(".STSAssumeRoleProviderPlugin") === true;
}

/** Than at AWS, where an absent endpoint is too. */
function isElsewhere(endpoint: string | undefined): boolean {
  return endpoint !== undefined && !isAwsEndpoint(endpoint);
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
}
