import { describe, expect, it } from "vitest";
import { KinesisCredentialsError } from "../src/errors.ts";
import { explainCredentials } from "../src/explain-credentials.ts";

const origin = { failed: "the role could not be assumed", remedy: "check its trust policy" };

/** What a provider that fails with `properties` ends in. */
async function failureOf(properties: object): Promise<unknown> {
  const error = Object.assign(new Error("user/jane may not assume role/reader"), properties);
  const provider = explainCredentials(() => Promise.reject(error), origin);
  return await provider().catch((reason: unknown) => reason);
}

describe("explainCredentials", () => {
  it("passes credentials on", async () => {
    const identity = { accessKeyId: "AKIA", secretAccessKey: "shh" };
    expect(await explainCredentials(() => Promise.resolve(identity), origin)()).toBe(identity);
  });

  it.each([
    ["a refusal", { name: "AccessDenied", $metadata: { httpStatusCode: 403 } }, "AccessDenied", false],
    [
      "a failure of STS",
      { name: "InternalFailure", $metadata: { httpStatusCode: 500 } },
      "InternalFailure",
      true,
    ],
    ["no answer", { code: "ECONNREFUSED", $metadata: {} }, "ECONNREFUSED", true],
    ["nothing found", { name: "CredentialsProviderError" }, "CredentialsProviderError", false],
  ])(
    "says by name what happened, without the message, and whether it may heal: %s",
    async (_what, properties, name, retryable) => {
      expect(await failureOf(properties)).toMatchObject({
        code: "PIO_KINESIS_CREDENTIALS",
        message: `the role could not be assumed (${name})`,
        remedy: "check its trust policy",
        retryable,
      });
    },
  );

  it("leaves an explanation from further inside as it is", async () => {
    const inner = new KinesisCredentialsError("no credentials", { retryable: false });
    const provider = explainCredentials(() => Promise.reject(inner), origin);
    await expect(provider()).rejects.toBe(inner);
  });
});
