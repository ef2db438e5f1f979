import { type Command, InvalidArgumentError, Option } from "commander";
import type { HttpAddress } from "../observe/http/http-server.ts";

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
      "the address to serve them at; 0.0.0.0: all of this machine",
      "127.0.0.1",
    )
    .option("--http-allowed-hosts <names>", "further names under which others reach it, separated by commas")
    .addOption(new Option("--metrics-port-start <port>").argParser(parsePort).hideHelp());
}

/** Where to listen; `undefined`: nowhere. `--metrics-port-start` of `pulsar-admin sources localrun` is another word for it. */
export function httpAddress(flags: HttpFlags): HttpAddress | undefined {
  const port = flags.httpPort ?? flags.metricsPortStart;
  if (port === undefined) return undefined;
  const names = (flags.httpAllowedHosts ?? "").split(",").map((name) => name.trim());
  return { port, host: flags.httpHost, names: names.filter((name) => name !== "") };
}

/** The value of an option that is a port. */
export function parsePort(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value);
  throw new InvalidArgumentError("It must be a port, from 0 to 65535.");
}
