import { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
import { type Clock, systemClock } from "@pulsar-ts-io/core";
import {
  type AwsCredentialIdentity,
  type AwsCredentialIdentityProvider,
  createRequestHandler,
} from "@pulsar-ts-io/kinesis-consumer";
import { withChildren } from "./child-watch.ts";
import type { AwsEndpoints } from "./endpoints.ts";
import { KinesisConfigError, KinesisCredentialsError } from "./errors.ts";
import { ChainNotes, explainCredentials } from "./explain-credentials.ts";
import { type CredentialAttempt, freshCredentials } from "./fresh-credentials.ts";
import type { AwsCredentialPluginParam, KinesisSourceOptions } from "./generated/options.ts";

/** Longest silence of STS and IAM Identity Center, milliseconds. */
const innerTimeoutMs = 8_000;

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

/**
 * Makes the provider of a mode. No I/O until it is called.
 *
 * It answers or fails within 10 s, whatever its source does, and each attempt begins with new providers of the SDK.
 */
export function credentialProvider(
  mode: CredentialMode,
  endpoints: AwsEndpoints,
  clock: Clock = systemClock,
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
      return freshCredentials({
        clock,
        attempt: () => startAttempt((handler) => fromDefaultChain(endpoints, handler)),
        late: (withinMs) =>
          lateError(`the default provider chain gave no AWS credentials within ${withinMs / 1_000} s`),
      });
    case "assume-role":
      return freshCredentials({
        clock,
        attempt: () => startAttempt((handler) => fromRole(mode, endpoints, handler)),
        late: (withinMs) =>
          lateError(`the role in awsCredentialPluginParam could not be assumed within ${withinMs / 1_000} s`),
      });
    default:
      return mode satisfies never;
  }
}

function lateError(message: string): KinesisCredentialsError {
  return new KinesisCredentialsError(message, {
    remedy:
      "check that the source of the credentials answers: STS, IAM Identity Center, the container's agent, the instance metadata service, or the command in credential_process",
    retryable: true,
  });
}

type InnerHandler = ReturnType<typeof createRequestHandler>;

/** @param get uses the handler for every request, so that abandoning the attempt ends them. */
function startAttempt(get: (handler: InnerHandler) => Promise<AwsCredentialIdentity>): CredentialAttempt {
  const handler = createRequestHandler(innerTimeoutMs);
  const { result, endChildren } = withChildren(() => get(handler));
  return {
    identity: result,
    abandon: () => {
      endChildren();
      handler.destroy();
    },
  };
}

async function fromDefaultChain(
  { region }: AwsEndpoints,
  requestHandler: InnerHandler,
): Promise<AwsCredentialIdentity> {
  const notes = new ChainNotes();
  // No region in the configuration: it would replace that of IAM Identity Center, too.
  const provider = fromNodeProviderChain({ clientConfig: { requestHandler }, logger: notes });
  try {
    return await provider({ callerClientConfig: { region: () => Promise.resolve(region) } });
  } catch (error) {
    throw explainCredentials(
      error,
      {
        failed: "the default provider chain found no AWS credentials",
        remedy:
          "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role; or set accessKey and secretKey in awsCredentialPluginParam",
      },
      notes,
    );
  }
}

async function fromRole(
  mode: Extract<CredentialMode, { kind: "assume-role" }>,
  endpoints: AwsEndpoints,
  requestHandler: InnerHandler,
): Promise<AwsCredentialIdentity> {
  const { region, sts } = endpoints;
  const provider = fromTemporaryCredentials({
    params: { RoleArn: mode.roleArn, RoleSessionName: mode.roleSessionName },
    masterCredentials: () => fromDefaultChain(endpoints, requestHandler),
    clientConfig: { region, requestHandler, ...(sts === undefined ? {} : { endpoint: sts }) },
  });
  try {
    return await provider();
  } catch (error) {
    const where = sts ?? `STS in ${region}`;
    throw explainCredentials(error, {
      failed: `the role in awsCredentialPluginParam could not be assumed at ${where}`,
      remedy:
        "check that STS can be reached there, and that the role trusts this identity and allows it sts:AssumeRole",
    });
  }
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
