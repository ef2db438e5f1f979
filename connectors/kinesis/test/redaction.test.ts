import { formatProblem, InvalidConfigError, resolveReferences } from "@pulsar-ts-io/config";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minimal, validate } from "./kinesis-config.ts";

const pluginNames = [
  undefined,
  "nonsense",
  "org.apache.pulsar.io.aws.AwsDefaultProviderChainPlugin",
  "org.apache.pulsar.io.kinesis.STSAssumeRoleProviderPlugin",
];
const parameters = [
  "accessKey",
  "secretKey",
  "sessionToken",
  "roleArn",
  "roleSessionName",
  "roleSessionNmae",
  "secretkey",
  "other",
];

describe("a secret in awsCredentialPluginParam", () => {
  it("is in no problem and no warning, whatever else is wrong", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uuid(),
        fc.constantFrom(...pluginNames),
        fc.subarray(parameters, { minLength: 1 }),
        fc.constantFrom("", "{", "x", '"'),
        fc.boolean(),
        async (secret, awsCredentialPluginName, names, damage, viaEnvironment) => {
          const json = JSON.stringify(Object.fromEntries(names.map((name) => [name, secret]))) + damage;
          const config = {
            ...minimal,
            awsCredentialPluginName,
            awsCredentialPluginParam: viaEnvironment ? `\${env:P}` : json,
          };
          const sources = { env: { P: json }, secrets: {}, readFile: () => Promise.resolve("") };
          const { warnings, ...result } = validate(await resolveReferences(config, sources));
          const problems = result.kind === "invalid" ? result.problems : [];
          const said = [...problems, ...warnings].map(formatProblem).join("\n");
          expect(
            said + JSON.stringify([problems, warnings, new InvalidConfigError(problems).message]),
          ).not.toContain(secret);
        },
      ),
      { numRuns: 300 },
    );
  });
});
