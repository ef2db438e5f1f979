import { codeOf, toError } from "@pulsar-ts-io/core";
import type { AwsCredentialIdentityProvider } from "@pulsar-ts-io/kinesis-consumer";
import { KinesisCredentialsError } from "./errors.ts";

/** Where credentials come from, for the message. */
export interface CredentialOrigin {
  /** Such as `the role in awsCredentialPluginParam could not be assumed`. */
  readonly failed: string;
  readonly remedy: string;
}

/**
 * Lets the failure of a provider say that it is one: to the SDK it is a failure of the call that needed the credentials.
 *
 * Only its name is told: the messages of STS repeat role and user.
 */
export function explainCredentials(
  provider: AwsCredentialIdentityProvider,
  { failed, remedy }: CredentialOrigin,
): AwsCredentialIdentityProvider {
  return async () => {
    try {
      return await provider();
    } catch (thrown) {
      if (thrown instanceof KinesisCredentialsError) throw thrown;
      const error = toError(thrown);
      const status = statusOf(error);
      const name = codeOf(error) ?? error.name;
      // None found stays so, and a refusal too; what did not answer, or failed on its side, may do better the next time.
      const retryable = error.name !== "CredentialsProviderError" && (status === undefined || status >= 500);
      throw new KinesisCredentialsError(`${failed} (${name})`, { cause: error, remedy, retryable });
    }
  };
}

/** `undefined`: nobody answered. */
function statusOf(error: Error): number | undefined {
  if (!("$metadata" in error) || typeof error.$metadata !== "object" || error.$metadata === null) {
    return undefined;
  }
  const { $metadata: metadata } = error;
  return "httpStatusCode" in metadata && typeof metadata.httpStatusCode === "number"
    ? metadata.httpStatusCode
    : undefined;
}
