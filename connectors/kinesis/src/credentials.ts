import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import type { AwsCredentialIdentityProvider } from "@pulsar-ts-io/kinesis-consumer";
import type { AwsEndpoints } from "./endpoints.ts";
import { KinesisConfigError } from "./errors.ts";
import { explainCredentials } from "./explain-credentials.ts";
import type { AwsCredentialPluginParam, KinesisSourceOptions } from "./generated/options.ts";

/** How the connector proves who it is. */
export type CredentialMode =
  | {
      readonly kind: "static";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string | undefined;
    }
  | { readonly kind: "default-chain" }
  | { readonly kind: "assume-role"; readonly roleArn: string; readonly roleSessionName: string };

type CredentialOptions = Pick<KinesisSourceOptions, "awsCredentialPluginName" | "awsCredentialPluginParam">;

/**
 * The mode that awsCredentialPluginName asks for; Java's class names stand for it, in both their packages.
 *
 * @throws KinesisConfigError (`PIO_KINESIS_CONFIG`) naming the parameter that is missing; a validated config has them all.
 * @see org.apache.pulsar.io.aws.AbstractAwsConnector in apache/pulsar-connectors
 */
export function resolveCredentials(options: CredentialOptions): CredentialMode {
  const name = options.awsCredentialPluginName;
  switch (name) {
    case "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin":
    case "org.apache.pulsar.io.kinesis.AwsDefaultProviderChainPlugin":
      return { kind: "default-chain" };
    case "org.apache.pulsar.io.aws.STSAssumeRoleProviderPlugin":
    case "org.apache.pulsar.io.kinesis.STSAssumeRoleProviderPlugin":
      return assumeRole(parameters(options));
    case undefined:
      return staticKeys(parameters(options));
    default:
      return name satisfies never;
  }
}

/** Makes the provider of a mode. No I/O until it is called. */
export function credentialProvider(
  mode: CredentialMode,
  endpoints: AwsEndpoints,
): AwsCredentialIdentityProvider {
  switch (mode.kind) {
    case "static": {
      const { accessKeyId, secretAccessKey, sessionToken } = mode;
      const identity = {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
      };
      return () => Promise.resolve(identity);
    }
    case "default-chain":
      return defaultChain(endpoints);
    case "assume-role":
      return assumedRole(mode, endpoints);
    default:
      return mode satisfies never;
  }
}

function defaultChain(endpoints: AwsEndpoints): AwsCredentialIdentityProvider {
  return explainCredentials(fromNodeProviderChain({ clientConfig: stsClient(endpoints) }), {
    failed: "the default provider chain found no AWS credentials",
    remedy:
      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role; or set accessKey and secretKey in awsCredentialPluginParam",
  });
}

function assumedRole(
  mode: Extract<CredentialMode, { kind: "assume-role" }>,
  endpoints: AwsEndpoints,
): AwsCredentialIdentityProvider {
  const provider = fromTemporaryCredentials({
    params: { RoleArn: mode.roleArn, RoleSessionName: mode.roleSessionName },
    masterCredentials: defaultChain(endpoints),
    clientConfig: stsClient(endpoints),
  });
  const where = endpoints.sts ?? `sts.${endpoints.region}.amazonaws.com`;
  return explainCredentials(provider, {
    failed: `the role in awsCredentialPluginParam could not be assumed at ${where}`,
    remedy:
      "check that STS can be reached there, and that the role trusts this identity and allows it sts:AssumeRole",
  });
}

function stsClient({ region, sts }: AwsEndpoints) {
  return { region, ...(sts === undefined ? {} : { endpoint: sts }) };
}

function assumeRole(given: AwsCredentialPluginParam): CredentialMode {
  return {
    kind: "assume-role",
    roleArn: present(given.roleArn, "roleArn"),
    roleSessionName: present(given.roleSessionName, "roleSessionName"),
  };
}

function staticKeys(given: AwsCredentialPluginParam): CredentialMode {
  return {
    kind: "static",
    accessKeyId: present(given.accessKey, "accessKey"),
    secretAccessKey: present(given.secretKey, "secretKey"),
    sessionToken: given.sessionToken === "" ? undefined : given.sessionToken,
  };
}

function present(value: string | undefined, name: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new KinesisConfigError(`awsCredentialPluginParam has no ${name}`, {
    remedy: `add ${name} to the JSON in awsCredentialPluginParam, or set awsCredentialPluginName to another class`,
  });
}

function parameters(options: CredentialOptions): AwsCredentialPluginParam {
  try {
    const value: unknown = JSON.parse(options.awsCredentialPluginParam ?? "{}");
    // Each member is checked by present() before it is used.
    if (typeof value === "object" && value !== null) return value as AwsCredentialPluginParam;
  } catch {
    // The parser's own error quotes the text, which is a secret.
  }
  throw new KinesisConfigError("awsCredentialPluginParam is not a JSON object", {
    remedy: 'write {"accessKey":"…","secretKey":"…"}, its quotes escaped inside another JSON text',
  });
}
