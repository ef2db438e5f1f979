import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { findJava } from "./java.ts";
import type { PulsarSettings } from "./pulsar-settings.ts";
import { runCommand } from "./run-command.ts";
import { StackStartError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

export interface BrokerCertificate {
  /** PEM; what a client has to trust. For `localhost` and 127.0.0.1. */
  readonly certificateFile: string;
  readonly settings: PulsarSettings;
}

/** Makes a self-signed certificate for a broker in `folder`, with the JDK's own tool. */
export async function makeBrokerCertificate(
  folder: string,
  tlsPort: number,
  options: ResolvedStackOptions,
): Promise<BrokerCertificate> {
  const java = await findJava(options);
  const keyStore = join(folder, "broker.p12");
  const certificateFile = join(folder, "broker.pem");
  const password = randomUUID();
  const store = ["-alias", "broker", "-keystore", keyStore, "-storepass", password];
  const keytool = async (...args: readonly string[]) => {
    const { exitCode, tail } = await runCommand(
      java,
      ["-m", "java.base/sun.security.tools.keytool.Main", ...args, ...store],
      options,
    );
    if (exitCode !== 0) throw new StackStartError(`making a certificate for the broker failed: ${tail}`);
  };
  const names = ["-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1", "-ext", "bc:c"];
  await keytool(
    "-genkeypair",
    "-keyalg",
    "RSA",
    "-keysize",
    "2048",
    "-validity",
    "3650",
    "-storetype",
    "PKCS12",
    ...names,
  );
  await keytool("-exportcert", "-rfc", "-file", certificateFile);
  return {
    certificateFile,
    settings: {
      brokerServicePortTls: tlsPort,
      tlsEnabledWithKeyStore: true,
      tlsKeyStoreType: "PKCS12",
      tlsKeyStore: keyStore,
      tlsKeyStorePassword: password,
      tlsTrustStoreType: "PKCS12",
      tlsTrustStore: keyStore,
      tlsTrustStorePassword: password,
    },
  };
}
