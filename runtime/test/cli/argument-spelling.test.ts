import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../src/cli/argument-spelling.ts";

describe("normaliseArguments", () => {
  it.each([
    ["--sourceConfig", "--source-config"],
    ["--sourceConfigFile", "--source-config-file"],
    ["--source_config_file", "--source-config-file"],
    ["--destinationTopicName=t", "--destination-topic-name=t"],
    ["--processingGuarantees", "--processing-guarantees"],
    ["--className", "--classname"],
    ["--deserializationClassName", "--deserialization-classname"],
    ["--brokerServiceUrl=pulsar://h:1", "--broker-service-url=pulsar://h:1"],
    ["--useTls", "--use-tls"],
    ["--use_tls", "--use-tls"],
    ["--tlsAllowInsecureConnection", "--tls-allow-insecure"],
    ["--tlsHostNameVerificationEnabled", "--hostname-verification-enabled"],
    ["--hostname_verification_enabled", "--hostname-verification-enabled"],
    ["--tlsTrustCertFilePath", "--tls-trust-cert-path"],
    ["-st", "--schema-type"],
  ])("writes %s as %s", (old, current) => {
    expect(normaliseArguments([old])).toEqual([current]);
  });

  it.each(["run", "-o", "--source-config", '{"aB":"c_d"}', '--source-config={"aB":1}', "my_topic", "-"])(
    "leaves %s alone",
    (argument) => {
      expect(normaliseArguments([argument])).toEqual([argument]);
    },
  );

  it("leaves everything after -- alone", () => {
    expect(normaliseArguments(["--useTls", "--", "--useTls"])).toEqual(["--use-tls", "--", "--useTls"]);
  });
});
