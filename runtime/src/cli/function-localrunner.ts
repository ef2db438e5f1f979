import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBoolean } from "./broker-settings.ts";
import type { CliHost } from "./cli-host.ts";
import type { Environment } from "./client-conf.ts";
import type { Flags } from "./requested-source.ts";
import { runCommand } from "./run-command.ts";
import type { RunFlags } from "./run-jobs.ts";
import { UsageError } from "./usage-error.ts";

/** Flags of Java's LocalRunner that `run` does not have. */
interface LocalrunnerFlags {
  /** A whole SourceConfig, where `run` takes the connector's config. */
  readonly sourceConfig?: string | undefined;
  readonly functionConfig?: string | undefined;
  readonly sinkConfig?: string | undefined;
  readonly exitOnError?: string | boolean | undefined;
  readonly runtime?: string | undefined;
  readonly stateStorageImplClass?: string | undefined;
}

/**
 * `function-localrunner`: `run`, as Java's LocalRunner is told to.
 *
 * @throws UsageError (`PIO_USAGE`) for a function or a sink, and what {@link runCommand} throws.
 */
export async function functionLocalrunner(
  flags: LocalrunnerFlags & RunFlags & Flags,
  host: CliHost,
): Promise<void> {
  const { sourceConfig, ...others } = flags;
  const foreign = flags.functionConfig === undefined ? flags.sinkConfig : flags.functionConfig;
  if (foreign !== undefined || sourceConfig === undefined) {
    throw new UsageError(
      foreign === undefined ? "there is no --sourceConfig" : "functions and sinks do not run here",
      { remedy: "start it with `pulsar-admin sources localrun`; or use `pulsar-ts-io run`" },
    );
  }
  const connectorsDir = flags["connectorsDir"] ?? connectorsOfHome(host.env);
  const stopsAtFailure = readBoolean("--exitOnError", flags.exitOnError) === true;
  await runCommand(
    {
      ...others,
      wholeSourceConfig: sourceConfig,
      maxRestarts: stopsAtFailure ? 0 : flags.maxRestarts,
      ...(connectorsDir === undefined ? {} : { connectorsDir }),
    },
    host,
  );
}

/** Where Java's LocalRunner looks for built-in connectors. */
function connectorsOfHome(env: Environment): string | undefined {
  const home = env["PULSAR_HOME"];
  if (home === undefined || home === "") return undefined;
  const directory = join(home, "connectors");
  return existsSync(directory) ? directory : undefined;
}
