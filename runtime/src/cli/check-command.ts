import { type CheckResult, ConnectorError } from "@pulsar-ts-io/core";
import type { CliHost } from "./cli-host.ts";
import type { Flags } from "./requested-source.ts";
import { readToolSubject, useTool } from "./source-tool.ts";

/** Something that the source needs was refused. What and why was printed before. */
class CheckFailedError extends ConnectorError {
  readonly code = "PIO_CHECK_FAILED";
  readonly retryable = false;
  readonly stage = "open";
}

type Attempt = Extract<CheckResult, { kind: "attempt" }>;
type Policy = Extract<CheckResult, { kind: "policy" }>;

const words: Readonly<Record<Attempt["outcome"], string>> = {
  ok: "ok",
  limited: "refused, not needed",
  failed: "FAILED",
  "not-tried": "not tried",
};

/**
 * `pulsar-ts-io check`: tries what the source will need, changes nothing, and prints what has to be granted.
 *
 * With `--json` one document goes to standard output, `{"connector", "ok", "attempts", "policies"}`, also when something failed.
 *
 * @throws CheckFailedError (`PIO_CHECK_FAILED`), PluginToolMissingError (`PIO_PLUGIN_TOOL_MISSING`), and what {@link useTool} throws.
 */
export async function checkCommand(flags: Flags, host: CliHost): Promise<void> {
  const subject = await readToolSubject(flags, host);
  const write = (text: string) => host.process.stdout.write(text);
  const asJson = flags["json"] === true;
  const attempts: Attempt[] = [];
  const policies: Policy[] = [];
  await useTool(subject, host, "check", async ({ tools, context, answered }) => {
    for await (const result of tools.check(subject.config, context)) {
      answered(result.kind === "policy" ? `the policy of ${result.holder}` : result.name);
      if (result.kind === "policy") policies.push(result);
      else attempts.push(result);
      if (!asJson) write(result.kind === "policy" ? formatPolicy(result) : formatAttempt(result));
    }
  });
  const failed = attempts.filter((attempt) => attempt.outcome === "failed");
  if (asJson) host.json.write(documentOf(subject.connector.manifest.name, attempts, policies));
  if (failed.length === 0) return;
  throw new CheckFailedError(
    `${failed.length} of ${attempts.length} things that the source needs failed: ${failed.map((one) => one.name).join(", ")}`,
    { remedy: failed.find((one) => one.remedy !== undefined)?.remedy ?? "see the lines that say FAILED" },
  );
}

function formatAttempt({ name, outcome, detail, remedy }: Attempt): string {
  const why = detail === undefined ? "" : `: ${detail}`;
  const then = remedy === undefined || outcome === "ok" ? "" : `\n    remedy: ${remedy}`;
  return `${words[outcome].padEnd(9)}  ${name}${why}${then}\n`;
}

function formatPolicy({ holder, document }: Policy): string {
  return `\nTo be granted to ${holder}:\n${JSON.stringify(document, undefined, 2)}\n`;
}

function documentOf(connector: string, attempts: readonly Attempt[], policies: readonly Policy[]): unknown {
  const ok = attempts.every((attempt) => attempt.outcome !== "failed");
  return {
    connector,
    ok,
    attempts: attempts.map(({ kind: _kind, ...attempt }) => attempt),
    policies: policies.map(({ kind: _kind, ...policy }) => policy),
  };
}
