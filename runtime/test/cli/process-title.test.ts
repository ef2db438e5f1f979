import { describe, expect, it } from "vitest";
import { hideSecretArguments } from "../../src/cli/process-title.ts";

function hide(...args: string[]) {
  const proc = { argv: ["node", "pulsar-ts-io", ...args], title: "node" };
  return { flags: hideSecretArguments(proc), title: proc.title };
}

describe("hideSecretArguments", () => {
  it.each([
    ["--client-auth-params", "token:abc"],
    ["--clientAuthParams", "abc"],
    ["--secrets", '{"a":"b"}'],
    ["--secretsProviderConfig", '{"a":"b"}'],
    ["--source-config", "{}"],
    ["--sourceConfig", "{}"],
    ["--source_config", "{}"],
    ["--producer-config", "{}"],
    ["--client-auth-params", '{"userId":"jane","password":"abc"}'],
    ["--client-auth-params", '{"issuerUrl":"https://i","privateKey":"data:application/json;base64,e30="}'],
  ])("overwrites the title when %s has a value", (flag, value) => {
    expect(hide("run", flag, value)).toEqual({ flags: [flag], title: "pulsar-ts-io" });
    expect(hide("run", `${flag}=${value}`)).toEqual({ flags: [flag], title: "pulsar-ts-io" });
  });

  it.each([
    [["--source-config", "-"]],
    [["--source-config-file", "a.yaml"]],
    [["--client-auth-params", "file:/run/secrets/token"]],
    [["--client-auth-params=file:///run/secrets/token"]],
    [["--client-auth-params", "env:TOKEN"]],
    [["--client-auth-params", "tlsCertFile:/c.pem,tlsKeyFile:/k.pem"]],
    [["--client-auth-params", '{"tlsCertFile":"/c.pem","tlsKeyFile":"/k.pem"}']],
    [["--client-auth-params", '{"issuerUrl":"https://i","privateKey":"file:///key.json"}']],
    [["--tenant", "secrets"]],
  ])("leaves the title alone for %j", (args) => {
    expect(hide("run", ...args)).toEqual({ flags: [], title: "node" });
  });
});
