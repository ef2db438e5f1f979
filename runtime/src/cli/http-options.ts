import { type Command, InvalidArgumentError, Option } from "commander";
import type { HttpAddress } from "../observe/http/http-server.ts";
import type { Environment } from "./client-conf.ts";

/** The flags about the HTTP port, as given. */
export interface HttpFlags {
  readonly httpPort?: number | undefined;
  readonly httpHost: string;
  readonly httpAllowedHosts?: string | undefined;
  readonly metricsPortStart?: number | undefined;
}

/** Adds the options of the one HTTP port. */
export function addHttpOptions(command: Command): Command {
  return command
    .option(
      "--http-port <port>",
      "serve a status page, /metrics, /health, /ready and /status there; 0: any free port (default: nothing is served)",
      parsePort,
    )
    .option(
      "--http-host <address>",
      "the address to serve them at; 0.0.0.0 or ::, all of this machine, IPv4 and IPv6",
      "127.0.0.1",
    )
    .option(
      "--http-allowed-hosts <names>",
      "host names that requests may use, separated by commas; .example.com allows every name below it",
    )
    .addOption(new Option("--metrics-port-start <port>").argParser(parsePort).hideHelp());
}

/**
 * Names of Services and pods that only a cluster's DNS resolves. No public domain ends like this, so no web page can have such a name.
 * The short forms `<service>` and `<service>.<namespace>` are not among them: `<namespace>` may be a public top-level domain.
 */
const clusterNames = [".svc", ".svc.cluster.local", ".pod.cluster.local"];

/**
 * The address to listen at; `undefined` when nothing is served. `--metrics-port-start` of `pulsar-admin sources localrun` means the same
 * as `--http-port`.
 *
 * In a Kubernetes pod, requests may use the names of the cluster's Services.
 */
export function httpAddress(flags: HttpFlags, env: Environment): HttpAddress | undefined {
  const port = flags.httpPort ?? flags.metricsPortStart;
  if (port === undefined) return undefined;
  const names = (flags.httpAllowedHosts ?? "").split(",").map((name) => name.trim());
  const known = isSet(env["KUBERNETES_SERVICE_HOST"]) ? clusterNames : [];
  return { port, host: flags.httpHost, names: [...names.filter((name) => name !== ""), ...known] };
}

/** The value of an option that is a port. */
export function parsePort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new InvalidArgumentError("It must be a port, from 0 to 65535.");
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
