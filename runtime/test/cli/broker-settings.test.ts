import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveBrokerSettings } from "../../src/cli/broker-settings.ts";

describe("how to reach Pulsar", () => {
  let folder: string;
  let env: { readonly PULSAR_CLIENT_CONF: string };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "broker-settings-"));
    env = { PULSAR_CLIENT_CONF: join(folder, "client.conf") };
  });

  afterEach(() => rm(folder, { recursive: true }));

  const certificate = "tlsCertificateFilePath=/me.pem\ntlsKeyFilePath=/me.key\n";
  const conf = (text: string) => writeFile(env.PULSAR_CLIENT_CONF, text);

  it.each([
    ["of client.conf, with the broker of client.conf", {}, "http://conf:8080"],
    ["of the flag, whatever client.conf says", { webServiceUrl: "http://flag:8080" }, "http://flag:8080"],
    ["beside another broker than client.conf's", { brokerServiceUrl: "pulsar://flag:6650" }, undefined],
    [
      "of client.conf where the flags are empty",
      { webServiceUrl: "", brokerServiceUrl: "" },
      "http://conf:8080",
    ],
  ])("asks the admin API %s", async (_, flags, expected) => {
    await conf("brokerServiceUrl=pulsar://conf:6650\nwebServiceUrl=http://conf:8080\n");
    expect((await resolveBrokerSettings(flags, env)).webServiceUrl).toBe(expected);
  });

  it("shows a TLS broker the certificate of client.conf", async () => {
    await conf(`brokerServiceUrl=pulsar+ssl://broker:6651\n${certificate}`);
    expect(await resolveBrokerSettings({}, env)).toMatchObject({
      authPlugin: "tls",
      authParams: '{"tlsCertFile":"/me.pem","tlsKeyFile":"/me.key"}',
    });
  });

  it.each([
    ["the address has no TLS", "pulsar://broker:6650", {}, undefined],
    ["another plugin is named", "pulsar+ssl://broker:6651", { clientAuthPlugin: "token" }, "token"],
  ])("leaves it where %s", async (_, url, flags, authPlugin) => {
    await conf(`brokerServiceUrl=${url}\n${certificate}`);
    expect(await resolveBrokerSettings(flags, env)).toMatchObject({ authPlugin });
  });

  it.each([undefined, ""])(
    "refuses credentials for a plugin that is %j: nobody would be authenticated",
    async (clientAuthPlugin) => {
      await conf(`brokerServiceUrl=pulsar+ssl://broker:6651\n${certificate}`);
      const flags = { clientAuthPlugin, clientAuthParams: "token:s3cr3t" };
      const error = await resolveBrokerSettings(flags, env).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: "PIO_USAGE",
        message: "--client-auth-params is given without --client-auth-plugin",
      });
      expect(String(error)).not.toContain("s3cr3t");
    },
  );

  it("takes them for the plugin of client.conf", async () => {
    await conf("authPlugin=token\n");
    const settings = await resolveBrokerSettings({ clientAuthParams: "token:t" }, env);
    expect(settings).toMatchObject({ authPlugin: "token", authParams: "token:t" });
  });
});
