import type { SourceRecord } from "@pulsar-ts-io/core";
import { formatMessage } from "@pulsar-ts-io/pulsar";
import type { CliHost } from "./cli-host.ts";
import { type ToolSubject, useTool } from "./source-tool.ts";

const usualCount = 10;

/**
 * `pulsar-ts-io run --dry-run`: prints what a run would read next, and takes nothing.
 *
 * @param count `true`: as many as are usual.
 * @param json a line of JSON for each record instead of a consumer's view; bytes as Base64.
 * @throws PluginToolMissingError (`PIO_PLUGIN_TOOL_MISSING`), and what {@link useTool} throws.
 */
export async function dryRun(
  subject: ToolSubject,
  { count, json }: { readonly count: number | true; readonly json: boolean },
  host: CliHost,
): Promise<void> {
  const data = host.terminal.dataStream();
  const wanted = count === true ? usualCount : count;
  let shown = 0;
  await useTool(subject, host, "peek", async ({ tools, context, answered }) => {
    if (wanted === 0) return;
    for await (const record of tools.peek(subject.config, wanted, context)) {
      data.write(json ? jsonLine(record) : formatMessage(record));
      shown += 1;
      answered(`record ${shown}`);
      // A connector that does not stop by itself is stopped.
      if (shown === wanted) break;
    }
  });
  const less = shown < wanted ? ", there are no more now" : "";
  host.terminal.write(`dry run: ${shown} records shown${less}; nothing was taken and nothing written\n`);
}

/** What a record does not have is left out. */
function jsonLine(record: SourceRecord): string {
  const { key, properties, eventTime, destinationTopic, partitionId, recordSequence, value } = record;
  const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  const shown = {
    ...{ key, properties, eventTime, destinationTopic, partitionId },
    recordSequence: recordSequence?.toString(),
    value: base64,
  };
  return `${JSON.stringify(shown)}\n`;
}
