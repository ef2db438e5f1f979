import { loadTool } from "../plugin/load-tools.ts";
import type { CliHost } from "./cli-host.ts";
import { formatPartitions } from "./partition-table.ts";
import type { Flags } from "./requested-source.ts";
import { readToolSubject, useTool } from "./source-tool.ts";
import { parseStartPosition, type StartPositionFlags } from "./start-position.ts";
import { UsageError } from "./usage-error.ts";

/**
 * `pulsar-ts-io partitions`: who reads which partition, and how far. Changes nothing.
 *
 * @throws PluginToolMissingError (`PIO_PLUGIN_TOOL_MISSING`), and what {@link readToolSubject} and {@link useTool} throw.
 */
export async function listPartitions(flags: Flags, host: CliHost): Promise<void> {
  const subject = await readToolSubject(flags, host);
  const partitions = await useTool(subject, host, "partitions", ({ tools, context }) =>
    tools.partitions(subject.config, context),
  );
  const { name } = subject.connector.manifest;
  if (flags["json"] === true) host.json.write({ connector: name, partitions });
  else host.process.stdout.write(formatPartitions(partitions));
}

/**
 * `pulsar-ts-io partitions reset`: moves every partition, after a confirmation.
 *
 * @throws PartitionsHeldError (`PIO_PARTITIONS_HELD`) while somebody reads one, and as {@link listPartitions}.
 */
export async function resetPartitions(flags: Flags & StartPositionFlags, host: CliHost): Promise<void> {
  const to = parseStartPosition(flags);
  const subject = await readToolSubject(flags, host);
  await loadTool(subject.connector, "reset", { signal: host.stop.signal }); // nobody confirms what cannot be done
  const { name } = subject.connector.manifest;
  await confirm(
    `This forgets every stored position of ${name} and moves all its partitions to ${flags.to}.`,
    flags,
    host,
  );
  await useTool(subject, host, "reset", ({ tools, context }) => tools.reset(subject.config, to, context));
  if (flags["json"] === true) host.json.write({ connector: name, to });
  else host.process.stdout.write(`all partitions of ${name} are at ${flags.to}\n`);
}

async function confirm(what: string, flags: Flags, host: CliHost): Promise<void> {
  if (flags["yes"] === true) return;
  if (!host.input.interactive) {
    throw new UsageError("nothing was reset: nobody can be asked, standard input is no terminal", {
      remedy: "say --yes if it is meant",
    });
  }
  host.terminal.write(`${what}\nType yes to go on: `);
  if ((await host.input.line()) === "yes") return;
  throw new UsageError("nothing was reset: it was not confirmed", { remedy: "type yes, or say --yes" });
}
