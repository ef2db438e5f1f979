import { codeOf } from "@pulsar-ts-io/core";

const address = "--broker-service-url";
const authentication = "--client-auth-plugin, --client-auth-params";
const topic = "--destination-topic-name";

/** Errors of the way to Pulsar, and the options that people mend them with. The transport knows no command line. */
const options: ReadonlyMap<string, string> = new Map([
  ["PIO_INVALID_SERVICE_URL", address],
  ["PIO_PULSAR_UNREACHABLE", address],
  ["PIO_PULSAR_PROTOCOL", address],
  ["PIO_PULSAR_TLS", `${address}, --tls-trust-cert-path`],
  ["PIO_INVALID_AUTHENTICATION", authentication],
  ["PIO_UNSUPPORTED_AUTHENTICATION", authentication],
  ["PIO_PULSAR_AUTHENTICATION", authentication],
  ["PIO_PULSAR_AUTHORIZATION", authentication],
  ["PIO_INVALID_TOPIC_NAME", topic],
  ["PIO_TOPIC_NOT_FOUND", topic],
  ["PIO_TOPIC_TERMINATED", topic],
  ["PIO_INVALID_ENCRYPTION", "--producer-config, cryptoConfig"],
  ["PIO_UNSUPPORTED_COMPRESSION", "--producer-config, compressionType"],
]);

/** The options behind `error`; `undefined` when none is, or when its remedy names them itself. */
export function optionOfError(error: Error, remedy: string): string | undefined {
  if (remedy.includes("--")) return undefined;
  const code = codeOf(error) ?? "";
  return isOfIssuer(error) ? authentication : options.get(code);
}

/** Whether it was not a broker that could not be reached, but who issues the access tokens for it. */
function isOfIssuer(error: Error): boolean {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const details = "details" in current ? current.details : undefined;
    if (typeof details === "object" && details !== null && "issuer" in details) return true;
  }
  return false;
}
