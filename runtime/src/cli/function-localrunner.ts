import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBoolean } from "./broker-settings.ts";
import type { CliHost } from "./cli-host.ts";
import type { Environment } from "./client-conf.ts";
import { type RunRequest, runCommand } from "./run-command.ts";
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
  { flags, command }: RunRequest & { readonly flags: LocalrunnerFlags },
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
  const whole = { ...others, wholeSourceConfig: sourceConfig };
  const placed = connectorsDir === undefined ? whole : { ...whole, connectorsDir };
  if (readBoolean("--exitOnError", flags.exitOnError) !== true)
    return await runCommand({ flags: placed, command }, host);
  command.setOptionValueWithSource("maxRestarts", 0, "cli");
  await runCommand({ flags: { ...placed, maxRestarts: 0 }, command }, host);
}

/** Where Java's LocalRunner looks for built-in connectors. */
function connectorsOfHome(env: Environment): string | undefined {
  const home = env["PULSAR_HOME"];
  if (home === undefined || home === "") return undefined;
  const directory = join(home, "connectors");
  return existsSync(directory) ? directory : undefined;
}
