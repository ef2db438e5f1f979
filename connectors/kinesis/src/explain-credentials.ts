import { codeOf, toError } from "@pulsar-ts-io/core";
import { isPassingAwsError } from "@pulsar-ts-io/kinesis-consumer";
import { KinesisCredentialsError } from "./errors.ts";

/** Where credentials come from, for the message. */
export interface CredentialOrigin {
  /** Such as `the role in awsCredentialPluginParam could not be assumed`. */
  readonly failed: string;
  readonly remedy: string;
}

/** Receives what the providers of a chain say while they are tried, in the SDK's logger shape. */
export class ChainNotes {
  readonly #reasons: string[] = [];

  readonly debug = (...content: readonly unknown[]): void => {
    const reason = /^@smithy\/property-provider (?:->|\(!\)) (.+)$/s.exec(String(content[0]))?.[1];
    if (reason !== undefined && !notConfigured.test(reason)) this.#reasons.push(reason);
  };
  readonly trace = (): void => {};
  readonly info = (): void => {};
  readonly warn = (): void => {};
  readonly error = (): void => {};

  /** Why the first provider failed that is configured. The chain's own error names only the last one. */
  get reason(): string | undefined {
    return this.#reasons[0];
  }
}

/** What to do when nothing answers. */
export const silenceRemedy =
  "check that the source of the credentials answers: STS, IAM Identity Center, the container's agent, the instance metadata service, or the command in credential_process";

/** What a provider says that nobody configured. */
const notConfigured =
  /^(AWS_PROFILE is set, skipping|Skipping SSO provider|Unable to find environment variable|Web identity configuration not specified|EC2 Instance Metadata Service access disabled|Could not load credentials from any providers|Could not resolve credentials using profile: \[default\]|Profile default (could not be found|did not contain)|No HTTP credential provider host)/;

/**
 * The failure of a provider of credentials as an error of ours. To the SDK it is a failure of the call that needed the credentials.
 *
 * STS is quoted by the name of its error only: its messages repeat role and user. Other sources are quoted in their own words.
 *
 * @param notes what the chain said, and whether a request of it went without an answer lately: then what it said may follow from that.
 */
export function explainCredentials(
  thrown: unknown,
  { failed, remedy }: CredentialOrigin,
  notes?: { readonly reason: string | undefined; readonly isSilent?: boolean },
): KinesisCredentialsError {
  if (thrown instanceof KinesisCredentialsError) return thrown;
  const error = toError(thrown);
  if (error.name !== "CredentialsProviderError" && error.name !== "TokenProviderError") {
    const name = error.name === "ProxyError" ? error.message : (codeOf(error) ?? error.name);
    const unanswered = statusOf(error) === undefined;
    const retryable = unanswered || isPassingAwsError(error);
    return new KinesisCredentialsError(`${failed} (${name})`, { cause: error, remedy, retryable });
  }
  const isSilent = asksAnAgent() || notes?.isSilent === true;
  const reason = notes?.reason ?? (notConfigured.test(error.message) ? undefined : error.message);
  if (reason === undefined) {
    return new KinesisCredentialsError(failed, { cause: error, remedy, retryable: isSilent });
  }
  return new KinesisCredentialsError(`${failed}: ${withoutSecrets(reason)}`, {
    cause: error,
    remedy: notes?.isSilent === true ? silenceRemedy : (remedyFor(reason) ?? remedy),
    retryable: isSilent || isPassing(reason),
  });
}

/** An agent of ECS or EKS is configured. */
export function asksContainerAgent(): boolean {
  const names = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  return names.some((name) => process.env[name] !== undefined);
}

/** An agent, or the address of a metadata service, is configured: it exists, so an answer is a matter of time. */
function asksAnAgent(): boolean {
  return asksContainerAgent() || process.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] !== undefined;
}

/** The SDK keeps only the text of the error that a service or the network has caused. */
function isPassing(reason: string): boolean {
  return reason
    .split(/\W+/)
    .some((word) => isPassingAwsError(Object.assign(new Error(word), { name: word })));
}

function remedyFor(reason: string): string | undefined {
  if (/\bSSO\b|aws sso login|token is expired/i.test(reason)) {
    return 'run "aws sso login" for the profile in AWS_PROFILE; use a role for a source that must run unattended';
  }
  if (/credential_process|^Command failed/i.test(reason)) {
    return "run the command in credential_process of the profile by hand and fix what it reports";
  }
  if (/\bprofile\b/i.test(reason)) {
    return "check that AWS_PROFILE names a profile in ~/.aws/config or ~/.aws/credentials, and that the profile is complete";
  }
  return undefined;
}

const longestReason = 300;

/** A command line may hold secrets, and ARNs name roles and users: they are left out. */
function withoutSecrets(reason: string): string {
  const [first = "", ...rest] = reason.split("\n");
  const said = first.startsWith("Command failed")
    ? `the credential_process command failed${rest.length === 0 ? "" : `: ${rest.join(" ")}`}`
    : reason.replaceAll(/\s+/g, " ");
  const hidden = said
    .replaceAll(/arn:aws[\w-]*:\S+/g, "(an ARN)")
    .replaceAll(/[\w+/=-]{32,}/g, "(hidden)")
    .trim();
  return hidden.length > longestReason ? `${hidden.slice(0, longestReason)}…` : hidden;
}

/** `undefined`: no answer came. */
function statusOf(error: Error): number | undefined {
  if (!("$metadata" in error) || typeof error.$metadata !== "object" || error.$metadata === null) {
    return undefined;
  }
  const { $metadata: metadata } = error;
  return "httpStatusCode" in metadata && typeof metadata.httpStatusCode === "number"
    ? metadata.httpStatusCode
    : undefined;
}
