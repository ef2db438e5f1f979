import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveBrokerSettings } from "../../src/cli/broker-settings.ts";
import { parseProperties, readClientConf } from "../../src/cli/client-conf.ts";

function home(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), "pulsar-home-"));
  mkdirSync(join(directory, "conf"));
  writeFileSync(join(directory, "conf", "client.conf"), text);
  return directory;
}

describe("parseProperties", () => {
  it("reads what java.util.Properties reads", () => {
    const text = [
      "# comment",
      "! comment",
      "a=1",
      "b: 2",
      "c 3",
      "  d  =  four words here ",
      "e=one\\",
      "   line",
      "f\\=g=h",
      "unicode=\\u00e9\\t",
      "empty=",
      "url=pulsar://localhost:6650/",
      "path=C:\\\\dir",
    ].join("\n");
    expect(Object.fromEntries(parseProperties(text))).toEqual({
      a: "1",
      b: "2",
      c: "3",
      d: "four words here ",
      e: "oneline",
      "f=g": "h",
      unicode: "é\t",
      url: "pulsar://localhost:6650/",
      path: "C:\\dir",
    });
  });

  it("gives back every value that is written with its backslashes doubled", () => {
    const value = fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z.]+$/), value, (key, text) => {
        const written = `${key}=${text.replace(/\\/g, "\\\\")}`;
        expect(parseProperties(`${written}\nnext=1`).get(key)).toBe(key === "next" ? "1" : text);
      }),
    );
  });
});

describe("readClientConf", () => {
  it("prefers the file that PULSAR_CLIENT_CONF names to the one in PULSAR_HOME", async () => {
    const [named, usual] = [home("authPlugin=named"), home("authPlugin=usual")];
    const file = join(named, "conf", "client.conf");
    expect((await readClientConf({ PULSAR_HOME: usual })).get("authPlugin")).toBe("usual");
    const both = await readClientConf({ PULSAR_HOME: usual, PULSAR_CLIENT_CONF: file });
    expect(both.get("authPlugin")).toBe("named");
  });

  it("refuses a named file that is not there, and does without the usual one", async () => {
    const named = readClientConf({ PULSAR_CLIENT_CONF: "/nowhere/client.conf" });
    await expect(named).rejects.toMatchObject({ code: "PIO_CONFIG_FILE" });
    expect(await readClientConf({ PULSAR_HOME: "/nowhere" })).toEqual(new Map());
  });
});

describe("resolveBrokerSettings", () => {
  it("uses localhost, no authentication and verified host names when nothing says otherwise", async () => {
    expect(await resolveBrokerSettings({}, {})).toEqual({
      serviceUrl: "pulsar://localhost:6650",
      authPlugin: undefined,
      authParams: undefined,
      tls: { trustCertPath: undefined, allowInsecure: false, hostnameVerification: true },
    });
  });

  it("takes each setting from its flag, else from client.conf", async () => {
    const env = {
      PULSAR_HOME: home(
        [
          "brokerServiceUrl=pulsar+ssl://conf:6651",
          "authPlugin=conf-plugin",
          "authParams=conf-params",
          "tlsTrustCertsFilePath=conf.pem",
          "tlsAllowInsecureConnection=true",
          "tlsEnableHostnameVerification=false",
        ].join("\n"),
      ),
    };
    expect(await resolveBrokerSettings({}, env)).toEqual({
      serviceUrl: "pulsar+ssl://conf:6651",
      authPlugin: "conf-plugin",
      authParams: "conf-params",
      tls: { trustCertPath: "conf.pem", allowInsecure: true, hostnameVerification: false },
    });
    const flags = {
      brokerServiceUrl: "pulsar://flag:6650",
      clientAuthPlugin: "flag-plugin",
      clientAuthParams: "flag-params",
      tlsTrustCertPath: "flag.pem",
      tlsAllowInsecure: "false",
      hostnameVerificationEnabled: true,
    };
    expect(await resolveBrokerSettings(flags, env)).toEqual({
      serviceUrl: "pulsar://flag:6650",
      authPlugin: "flag-plugin",
      authParams: "flag-params",
      tls: { trustCertPath: "flag.pem", allowInsecure: false, hostnameVerification: true },
    });
  });

  it("takes an empty flag for none, as Java's worker passes on what it does not have", async () => {
    const flags = {
      brokerServiceUrl: "",
      clientAuthPlugin: "",
      clientAuthParams: "",
      useTls: "",
      tlsAllowInsecure: "",
      tlsTrustCertPath: "",
    };
    expect(await resolveBrokerSettings(flags, {})).toEqual(await resolveBrokerSettings({}, {}));
  });

  it("speaks TLS to a plain address with --use-tls, and leaves one with TLS alone", async () => {
    const plain = await resolveBrokerSettings({ useTls: true, brokerServiceUrl: "pulsar://a:1,b:2" }, {});
    expect(plain.serviceUrl).toBe("pulsar+ssl://a:1,b:2");
    const already = await resolveBrokerSettings({ useTls: "true", brokerServiceUrl: "pulsar+ssl://a:1" }, {});
    expect(already.serviceUrl).toBe("pulsar+ssl://a:1");
  });

  it("names the flag whose value is no boolean", async () => {
    const settings = resolveBrokerSettings({ useTls: "yes" }, {});
    await expect(settings).rejects.toThrow("--use-tls must be true or false, got yes");
  });
});
