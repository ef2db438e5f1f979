import type { Command } from "commander";
import { PluginHost } from "../plugin/plugin-host.ts";
import type { CliHost } from "./cli-host.ts";
import { type Candidate, completeWords } from "./complete-words.ts";

/**
 * `pulsar-ts-io complete`: completes the last of the words for a shell's script: one candidate a line, a tab, and what it is; or `:files`.
 */
export async function completeCommand(
  program: Command,
  words: readonly string[],
  host: CliHost,
): Promise<void> {
  const connectorsDirectory = host.env["PULSAR_TS_IO_CONNECTORS_DIR"];
  const completion = await completeWords(program, words, {
    connectors: () => connectors(connectorsDirectory),
  });
  const lines =
    completion.kind === "files"
      ? [":files"]
      : completion.candidates.map(({ value, description }) => `${value}\t${description}`);
  host.process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

async function connectors(connectorsDirectory: string | undefined): Promise<readonly Candidate[]> {
  const listings = await new PluginHost({ connectorsDirectory }).list();
  return listings.flatMap((listing) => {
    if (listing.kind !== "usable") return [];
    const { name, description } = listing.connector.manifest;
    return [{ value: name, description }];
  });
}
