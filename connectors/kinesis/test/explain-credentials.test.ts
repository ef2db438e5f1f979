import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KinesisCredentialsError } from "../src/errors.ts";
import { ChainNotes, explainCredentials } from "../src/explain-credentials.ts";

const origin = { failed: "the role could not be assumed", remedy: "check its trust policy" };

/** What a provider that fails with `properties` ends in. */
function failureOf(properties: object): KinesisCredentialsError {
  const error = Object.assign(new Error("user/jane may not assume role/reader"), properties);
  return explainCredentials(error, origin);
}

/** What a chain ends in whose providers said `reasons`, in order. */
function chainFailure(...reasons: readonly string[]): KinesisCredentialsError {
  const notes = new ChainNotes();
  notes.debug("@aws-sdk/credential-provider-node - defaultProvider::fromEnv");
  for (const reason of reasons) notes.debug(`@smithy/property-provider -> ${reason}`);
  const last = new Error("Could not load credentials from any providers");
  return explainCredentials(Object.assign(last, { name: "CredentialsProviderError" }), origin, notes);
}

beforeEach(() => {
  vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", undefined);
  vi.stubEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("explainCredentials", () => {
  it.each([
    ["a refusal", { name: "AccessDenied", $metadata: { httpStatusCode: 403 } }, "AccessDenied", false],
    [
      "a failure of STS",
      { name: "InternalFailure", $metadata: { httpStatusCode: 500 } },
      "InternalFailure",
      true,
    ],
    ["no answer", { code: "ECONNREFUSED", $metadata: {} }, "ECONNREFUSED", true],
  ])(
    "says by name what happened, without the message, and whether it may heal: %s",
    (_what, properties, name, retryable) => {
      expect(failureOf(properties)).toMatchObject({
        code: "PIO_KINESIS_CREDENTIALS",
        message: `the role could not be assumed (${name})`,
        remedy: "check its trust policy",
        retryable,
      });
    },
  );

  it.each([
    ["Throttling", 400],
    ["ThrottlingException", 400],
    ["RequestLimitExceeded", 503],
    ["IDPCommunicationError", 400],
    ["PriorRequestNotComplete", 400],
    ["RequestTimeout", 400],
    ["RequestTimeTooSkewed", 403],
    ["Whatever", 502],
  ])(
    "reports a transient answer of STS as retryable, whatever its status: %s with %i",
    (name, httpStatusCode) => {
      expect(failureOf({ name, $metadata: { httpStatusCode } })).toMatchObject({ retryable: true });
    },
  );

  it("reports that nothing is configured as final, with the remedy of the origin", () => {
    expect(chainFailure("Unable to find environment variable credentials.")).toMatchObject({
      message: "the role could not be assumed",
      remedy: "check its trust policy",
      retryable: false,
    });
  });

  it("waits for an agent of ECS or EKS that is configured and does not answer", () => {
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/credentials");
    expect(chainFailure("TimeoutError: no answer")).toMatchObject({ retryable: true });
  });

  it.each([
    [
      "an expired SSO session",
      "The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.",
      /aws sso login/,
    ],
    [
      "a profile that does not exist",
      "Could not resolve credentials using profile: [payments] in configuration/credentials file(s).",
      /AWS_PROFILE names a profile/,
    ],
    ["a process with a wrong answer", "Profile p credential_process returned invalid JSON.", /by hand/],
  ])("quotes the SDK and has a remedy of its own: %s", (_what, reason, remedy) => {
    const skipped = "AWS_PROFILE is set, skipping fromEnv provider.";
    expect(chainFailure(skipped, reason, "Web identity configuration not specified")).toMatchObject({
      message: `the role could not be assumed: ${reason}`,
      remedy: expect.stringMatching(remedy),
      retryable: false,
    });
  });

  it("quotes what a failing process printed, without its command line, ARNs and tokens", () => {
    const reason =
      "Command failed: /opt/vault --token s3cr3t\nno session for arn:aws:iam::123456789012:role/reader, token abcdefghijklmnopqrstuvwxyz0123456789";
    expect(chainFailure(reason)).toMatchObject({
      message:
        "the role could not be assumed: the credential_process command failed: no session for (an ARN) token (hidden)",
      remedy: expect.stringMatching(/by hand/),
    });
  });

  it("reports a throttled or unanswered SSO as retryable although the SDK keeps only its text", () => {
    expect(chainFailure("TooManyRequestsException: slow down")).toMatchObject({ retryable: true });
    expect(chainFailure("Error: connect ECONNREFUSED 127.0.0.1:443")).toMatchObject({ retryable: true });
    expect(chainFailure("UnauthorizedException: Session token not found or invalid")).toMatchObject({
      retryable: false,
    });
  });

  it("leaves an explanation from further inside as it is", () => {
    const inner = new KinesisCredentialsError("no credentials", { retryable: false });
    expect(explainCredentials(inner, origin)).toBe(inner);
  });
});
