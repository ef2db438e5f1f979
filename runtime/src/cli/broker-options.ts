import { type Command, InvalidArgumentError } from "commander";

/** Adds the options about the broker, named as those of `pulsar-admin sources localrun`. */
export function addBrokerOptions(command: Command): Command {
  return command
    .option(
      "--broker-service-url <url>",
      "Pulsar's address (default: client.conf, else pulsar://localhost:6650)",
    )
    .option(
      "--web-service-url <url>",
      "its admin API, asked with EFFECTIVELY_ONCE (default: client.conf, else the same host on 8080, or 8443 with TLS)",
    )
    .option("--client-auth-plugin <class>", "how to authenticate with Pulsar, by its class name")
    .option("--client-auth-params <params>", "its parameters, such as file:/path/of/token")
    .option("--use-tls [boolean]", "speak TLS also where the address begins with pulsar://")
    .option("--tls-trust-cert-path <file>", "the certificates to trust, PEM")
    .option("--tls-allow-insecure [boolean]", "accept any certificate")
    .option(
      "--memory-limit-bytes <bytes>",
      "memory of unconfirmed messages of all topics together; 0: no limit (default: 64 MiB)",
      parseBytes,
    )
    .option("--hostname-verification-enabled [boolean]", "verify the broker's host name (default: true)");
}

function parseBytes(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a count of bytes from 0 on.");
}
