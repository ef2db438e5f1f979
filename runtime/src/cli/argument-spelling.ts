/** Spellings of pulsar-admin that no rule yields. */
const special: ReadonlyMap<string, string> = new Map([
  ["-st", "--schema-type"],
  ["--className", "--classname"],
  ["--deserializationClassName", "--deserialization-classname"],
  ["--brokerServiceUrl", "--broker-service-url"],
  ["--tlsAllowInsecureConnection", "--tls-allow-insecure"],
  ["--tlsHostNameVerificationEnabled", "--hostname-verification-enabled"],
  ["--tlsTrustCertFilePath", "--tls-trust-cert-path"],
  ["--secretsProviderClassName", "--secrets-provider-classname"],
  ["--clientAuthPlugin", "--client-auth-plugin"],
]);

/**
 * The command line with pulsar-admin's older spellings, `--sourceConfig` and `--source_config`, in the newer one.
 *
 * Values are left alone, whatever they look like, and so is everything after `--`.
 */
export function normaliseArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return args.map((argument, index) => (end >= 0 && index > end ? argument : normalise(argument)));
}

function normalise(argument: string): string {
  const [, flag = argument, rest = ""] = /^(-{1,2}\w[\w-]*)(=[\s\S]*)?$/.exec(argument) ?? [];
  const known = special.get(flag);
  if (known !== undefined) return known + rest;
  if (!/^--[a-z]+([A-Z_][a-zA-Z]*)+$/.test(flag)) return argument;
  return (
    flag.replace(/_?([A-Z])|_/g, (_, letter: string | undefined) => `-${letter?.toLowerCase() ?? ""}`) + rest
  );
}
