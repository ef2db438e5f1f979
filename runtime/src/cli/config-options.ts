import type { ConfigProblem } from "@pulsar-ts-io/config";
import { type Command, InvalidArgumentError } from "commander";
import type { Fields } from "../source-config/field-reader.ts";
import { ProblemList } from "../source-config/problem-list.ts";
import { runtimeOptionsKey } from "../source-config/runtime-options.ts";
import { refuseUnknown } from "../source-config/unknown-fields.ts";
import { parseOption } from "./environment-options.ts";
import type { RunFlags } from "./run-jobs.ts";

/** Options of a run that a SourceConfig may hold: those about the source, not about the machine or the terminal it runs on. */
export const configurableOptions: readonly (keyof RunFlags)[] = [
  "assumeDeduplication",
  "deadLetterTopic",
  "drainTimeout",
  "earlierProducerNames",
  "logLevel",
  "maxMemory",
  "maxRestarts",
  "onRefused",
  "pulsarTransport",
  "stallTimeout",
  "startTimeout",
  "stateStore",
];

/** What a SourceConfig says of options, and what is wrong with that. */
export interface ConfigOptions {
  /** By attribute, as commander reads them. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads `customRuntimeOptions.pulsarTsIo`: values as on the command line, under the options' camelCase names.
 *
 * @param command has the options of a run.
 */
export function readConfigOptions(command: Command, options: Fields): ConfigOptions {
  const prefix = `customRuntimeOptions.${runtimeOptionsKey}.`;
  const found = new ProblemList();
  refuseUnknown(options, configurableOptions, prefix, found);
  const values: Record<string, unknown> = {};
  for (const option of command.options) {
    const name = option.attributeName();
    if (!configurableOptions.some((one) => one === name) || options[name] === undefined) continue;
    try {
      values[name] = parseOption(option, String(options[name]));
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      found.refuse(`${prefix}${name}`, `is not what ${option.long} takes`, error.message, options[name]);
    }
  }
  return { values, problems: found.problems };
}

/** `flags`, completed by `values` of a SourceConfig: what the command line or the environment gives wins. */
export function completeFlags<F extends RunFlags>(command: Command, flags: F, { values }: ConfigOptions): F {
  const isGiven = (name: string) => ["cli", "env"].includes(command.getOptionValueSource(name) ?? "");
  return { ...flags, ...Object.fromEntries(Object.entries(values).filter(([name]) => !isGiven(name))) };
}
