import type { Command } from "commander";
import type { Environment } from "./client-conf.ts";
import { variableOf } from "./environment-options.ts";

const prefix = "PULSAR_TS_IO_";
/** Variables that stand for no option. */
const others = ["PULSAR_TS_IO_CACHE"];
/** What Kubernetes sets in each pod beside a Service named pulsar-ts-io. */
const serviceLink = /^PULSAR_TS_IO_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_[A-Z]+(_\w+)?)?)$/;

/** What to say about variables that look like options of `program`, and are none. Their values are not shown. */
export async function unknownVariables(program: Command, env: Environment): Promise<readonly string[]> {
  const known = [...others, ...variablesOf(program)];
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith(prefix) && !known.includes(name) && !serviceLink.test(name),
  );
  if (unknown.length === 0) return [];
  const { nearest } = await import("@pulsar-ts-io/config");
  const endings = known.map((name) => name.slice(prefix.length));
  return unknown.map((name) => {
    const meant = nearest(name.slice(prefix.length), endings);
    const remedy = meant === undefined ? "--help lists the options" : `did you mean ${prefix}${meant}?`;
    return `${name} in the environment stands for no option: ${remedy}`;
  });
}

function variablesOf(command: Command): readonly string[] {
  return [
    ...command.options.flatMap((option) => variableOf(option) ?? []),
    ...command.commands.flatMap(variablesOf),
  ];
}
