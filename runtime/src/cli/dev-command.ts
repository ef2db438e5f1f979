import { resolve } from "node:path";
import { runDevLoop } from "../author/dev-loop.ts";
import { readConnectorManifest } from "../plugin/connector-package.ts";
import type { CliHost } from "./cli-host.ts";

export interface DevFlags {
  readonly sourceConfig?: string | undefined;
  readonly sourceConfigFile?: string | undefined;
}

/** `pulsar-ts-io dev [DIRECTORY]`: builds and runs a connector again after each change, its records on the console. */
export async function devCommand(directory: string, flags: DevFlags, host: CliHost): Promise<void> {
  const { sourceConfig, sourceConfigFile } = flags;
  await readConnectorManifest(directory); // says now what would else be said after each change
  const config = [
    ...(sourceConfig === undefined ? [] : ["--source-config", sourceConfig]),
    ...(sourceConfigFile === undefined ? [] : ["--source-config-file", resolve(sourceConfigFile)]),
  ];
  const drain = () => host.stop.drain();
  const output = {
    out: (text: string) => void host.process.stdout.write(text),
    err: (text: string) => host.terminal.write(text),
  };
  await runDevLoop({ directory: resolve(directory), config, env: host.env, drain }, output, host.stop.signal);
}
