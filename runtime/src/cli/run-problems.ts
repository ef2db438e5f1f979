import type { ConfigProblem } from "@pulsar-ts-io/config";
import { codeOf, remedyOf, toError } from "@pulsar-ts-io/core";
import { parseTopicName } from "@pulsar-ts-io/pulsar";
import type { Command } from "commander";
import { completeFlags, readConfigOptions } from "./config-options.ts";
import { instanceNumberProblems } from "./instance-numbers.ts";
import { refusalProblems, resolveRefusalPolicy } from "./refusal-options.ts";
import type { RequestedSource } from "./requested-source.ts";
import type { RunFlags } from "./run-jobs.ts";
import { transportProblems } from "./transport.ts";

/** The flags of a run, completed by what the SourceConfig says, and all that is wrong with both. */
export interface CheckedRun<F> {
  readonly flags: F;
  readonly problems: readonly ConfigProblem[];
}

/** @param command has the options of a run, and knows which of them were given. */
export function checkRun<F extends RunFlags>(
  command: Command,
  given: F,
  requested: RequestedSource,
): CheckedRun<F> {
  const { settings, problems } = requested;
  const { publisher, runtimeOptions } = settings;
  const configOptions = readConfigOptions(command, runtimeOptions);
  const flags = completeFlags(command, given, configOptions);
  return {
    flags,
    problems: [
      ...problems,
      ...configOptions.problems,
      ...instanceNumberProblems(requested, flags),
      ...transportProblems(flags, publisher),
      ...refusalProblems(flags, publisher),
    ],
  };
}

/** What a run would be refused for besides, as far as the source alone tells: where records and log lines go may be said later. */
export function destinationProblems(
  { settings: { topic, logTopic } }: RequestedSource,
  flags: RunFlags,
): readonly ConfigProblem[] {
  const misnamed = [
    ...problemOf("topicName", () => topic === undefined || parseTopicName(topic)),
    ...problemOf("logTopic", () => logTopic === undefined || parseTopicName(logTopic)),
  ];
  if (misnamed.length > 0) return misnamed;
  return problemOf("customRuntimeOptions", () => resolveRefusalPolicy(flags, topic ?? "console"));
}

/** What `look` throws about the setting at `path`. */
function problemOf(path: string, look: () => unknown): readonly ConfigProblem[] {
  try {
    look();
    return [];
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    const remedy = remedyOf(error);
    return [{ path, message: toError(error).message, ...(remedy === undefined ? {} : { remedy }) }];
  }
}
