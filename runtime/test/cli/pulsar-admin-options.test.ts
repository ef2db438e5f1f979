import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../src/cli/argument-spelling.ts";
import { everyCommand } from "../support/command-list.ts";

/** The options of `pulsar-admin sources create` of 4.0.8, in every spelling, by the attribute that each sets here. */
const create: Readonly<Record<string, readonly string[]>> = {
  tenant: ["--tenant"],
  namespace: ["--namespace"],
  name: ["--name"],
  sourceType: ["-t", "--source-type"],
  archive: ["-a", "--archive"],
  classname: ["--classname", "--className"],
  destinationTopicName: ["-o", "--destination-topic-name", "--destinationTopicName"],
  processingGuarantees: ["--processing-guarantees", "--processingGuarantees"],
  deserializationClassname: ["--deserialization-classname", "--deserializationClassName"],
  schemaType: ["-st", "--schema-type", "--schemaType"],
  producerConfig: ["--producer-config", "--producerConfig"],
  batchBuilder: ["--batch-builder", "--batchBuilder"],
  parallelism: ["--parallelism"],
  cpu: ["--cpu"],
  ram: ["--ram"],
  disk: ["--disk"],
  sourceConfigFile: ["--source-config-file", "--sourceConfigFile"],
  sourceConfig: ["--source-config", "--sourceConfig"],
  batchSourceConfig: ["--batch-source-config", "--batchSourceConfig"],
  customRuntimeOptions: ["--custom-runtime-options", "--customRuntimeOptions"],
  secrets: ["--secrets"],
  logTopic: ["--log-topic", "--logTopic"],
  runtimeFlags: ["--runtime-flags", "--runtimeFlags"],
};

/** Those that `localrun` has besides. */
const localrun: Readonly<Record<string, readonly string[]>> = {
  brokerServiceUrl: ["--broker-service-url", "--brokerServiceUrl"],
  stateStorageServiceUrl: ["--state-storage-service-url", "--stateStorageServiceUrl"],
  clientAuthPlugin: ["--client-auth-plugin", "--clientAuthPlugin"],
  clientAuthParams: ["--client-auth-params", "--clientAuthParams"],
  tlsTrustCertPath: ["--tls-trust-cert-path", "--tls_trust_cert_path", "--tlsTrustCertFilePath"],
  secretsProviderClassname: [
    "--secrets-provider-classname",
    "--secretsProviderClassname",
    "--secretsProviderClassName",
  ],
  secretsProviderConfig: ["--secrets-provider-config", "--secretsProviderConfig"],
  metricsPortStart: ["--metrics-port-start", "--metricsPortStart"],
};

/** Those of `localrun` that take no value there. */
const switches: Readonly<Record<string, readonly string[]>> = {
  useTls: ["--use-tls", "--use_tls", "--useTls"],
  tlsAllowInsecure: ["--tls-allow-insecure", "--tls_allow_insecure", "--tlsAllowInsecureConnection"],
  hostnameVerificationEnabled: [
    "--hostname-verification-enabled",
    "--hostname_verification_enabled",
    "--tlsHostNameVerificationEnabled",
  ],
};

/** What the command of that name understands `args` to say, and what it does not know. */
function understood(name: string, args: readonly string[]): unknown {
  const { command } =
    everyCommand().find(({ words }) => words.join(" ") === name) ?? expect.unreachable(name);
  const given = () =>
    Object.entries(command.opts()).filter(([key]) => command.getOptionValueSource(key) === "cli");
  const { operands, unknown } = command.parseOptions([...normaliseArguments(args)]);
  return { ...Object.fromEntries(given()), operands, unknown };
}

function rows(table: Readonly<Record<string, readonly string[]>>): [spelling: string, attribute: string][] {
  return Object.entries(table).flatMap(([attribute, spellings]) =>
    spellings.map((spelling): [string, string] => [spelling, attribute]),
  );
}

const nothingElse = { operands: [], unknown: [] };

describe("the options of pulsar-admin sources create", () => {
  it.each(rows(create))("%s is understood by every command about a source", (spelling, attribute) => {
    for (const name of ["run", "validate", "check", "partitions", "partitions reset"]) {
      expect(understood(name, [spelling, "7"])).toEqual({ [attribute]: "7", ...nothingElse });
    }
  });
});

describe("the options of pulsar-admin sources localrun", () => {
  it.each(rows(localrun))("%s is understood by run", (spelling, attribute) => {
    const value = attribute === "metricsPortStart" ? 7 : "7";
    expect(understood("run", [spelling, "7"])).toEqual({ [attribute]: value, ...nothingElse });
  });

  it.each(rows(switches))("%s is understood by run, with and without a value", (spelling, attribute) => {
    expect(understood("run", [spelling])).toEqual({ [attribute]: true, ...nothingElse });
    expect(understood("run", [spelling, "false"])).toEqual({ [attribute]: "false", ...nothingElse });
  });
});
