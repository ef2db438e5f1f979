import type { ConfigProblem } from "@pulsar-ts-io/config";
import { secretsOf } from "../observe/secret-mask.ts";
import { type ConnectorReference, parseArchive } from "../plugin/archive-reference.ts";
import type { ConnectorPackage } from "../plugin/connector-package.ts";
import { assembleSourceConfig } from "../source-config/assemble.ts";
import { type ConnectorConfigOutcome, resolveConnectorConfig } from "../source-config/connector-config.ts";
import type { Fields } from "../source-config/field-reader.ts";
import { ProblemList } from "../source-config/problem-list.ts";
import { readSourceConfig, type SourceSettings } from "../source-config/source-settings.ts";
import type { CliHost } from "./cli-host.ts";
import { pluginHost } from "./connector-places.ts";
import type { CommandInput } from "./input.ts";
import { requestedSecretsProvider } from "./secrets-options.ts";
import { fieldOptions } from "./source-options.ts";
import { UsageError } from "./usage-error.ts";

/** What commander read, by attribute. */
export type Flags = Readonly<Record<string, unknown>>;

/** A source as the command line asks for it: everything known before anything is opened. */
export interface RequestedSource {
  readonly settings: SourceSettings;
  readonly connector: ConnectorPackage;
  /** Complete, with defaults; `undefined` when there are problems. */
  readonly config: unknown;
  readonly secrets: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads flags, files and schema, and checks all of it. Runs no code of the connector. Its secrets are hidden from then on.
 *
 * @throws UsageError, ConfigFileError, ConfigSyntaxError and the errors of the plugin host; what is wrong
 * within the config is not thrown but listed.
 */
export async function readRequestedSource(
  flags: Flags,
  { input, env, terminal }: Pick<CliHost, "input" | "env" | "terminal">,
): Promise<RequestedSource> {
  const secretsProvider = requestedSecretsProvider(flags, env);
  const fields = await readFields(flags, input);
  const found = new ProblemList();
  const settings = readSourceConfig(fields, found);
  const host = pluginHost(textOf(flags["connectorsDir"]), env);
  const connector = await host.find(referenceOf(settings));
  checkManual(settings, connector, found);
  const outcome = await resolveConnectorConfig(connector.schema, { ...settings, env, secretsProvider });
  terminal.hide(secretsIn(outcome, settings, connector));
  return {
    settings,
    connector,
    config: outcome.config,
    secrets: outcome.secrets,
    problems: [...found.problems, ...outcome.problems],
    warnings: [...found.warnings, ...outcome.warnings],
  };
}

function secretsIn(
  { config, secrets }: ConnectorConfigOutcome,
  { configs: written }: SourceSettings,
  { schema }: ConnectorPackage,
): readonly string[] {
  const complete = typeof config === "object" && config !== null ? { ...config } : {};
  return [...secrets.values(), ...secretsOf({ config: complete, written, schema })];
}

/** Records of another connector would never be acknowledged: its position would stand still for ever. */
function checkManual(
  { guarantee }: SourceSettings,
  { manifest }: ConnectorPackage,
  found: ProblemList,
): void {
  if (guarantee !== "MANUAL" || manifest.acknowledgesItself) return;
  found.refuse(
    "processingGuarantees",
    `the connector ${manifest.name} does not acknowledge its records by itself`,
    "use ATLEAST_ONCE; a connector that does says acknowledgesItself: true in its manifest",
    guarantee,
  );
}

async function readFields(flags: Flags, input: CommandInput): Promise<Fields> {
  const fromFlags: Record<string, unknown> = {};
  for (const { flag, attribute, field, structured } of fieldOptions) {
    const value = textOf(flags[attribute]);
    if (value === undefined) continue;
    fromFlags[field] = structured ? (await input.text(flag, value)).value : value;
  }
  const connector = textOf(flags["connector"]);
  if (connector !== undefined) fromFlags["archive"] = connector;
  const resources = { cpu: flags["cpu"], ram: flags["ram"], disk: flags["disk"] };
  if (Object.values(resources).some((value) => value !== undefined)) fromFlags["resources"] = resources;
  const file = textOf(flags["sourceConfigFile"]);
  const whole = textOf(flags["wholeSourceConfig"]);
  const configs = textOf(flags["sourceConfig"]);
  const given = whole === undefined ? undefined : await input.text("--sourceConfig", whole);
  return assembleSourceConfig({
    file: file === undefined ? given : await input.file("--source-config-file", file),
    configs: configs === undefined ? undefined : await input.text("--source-config", configs),
    flags: fromFlags,
  });
}

function referenceOf({ sourceType, archive }: SourceSettings): ConnectorReference {
  if (archive !== undefined) return parseArchive(archive);
  if (sourceType !== undefined) return { kind: "name", name: sourceType };
  throw new UsageError("no connector is named", {
    remedy:
      "name one with --source-type, or give its archive or directory with --archive; `pulsar-ts-io connectors list` shows those there are",
  });
}

/** A connector by what a user typed: a path if it looks like one, else a name. */
export function connectorReference(text: string): ConnectorReference {
  return /[/\\]|^\.{1,2}$|\.(tgz|tar\.gz|nar)$/.test(text)
    ? parseArchive(text)
    : { kind: "name", name: text };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
