import process from "node:process";
import { packageConnector } from "../package/package-connector.ts";
import type { CliHost } from "./cli-host.ts";

export interface PackageFlags {
  readonly output: string;
  readonly json?: boolean | undefined;
}

/** `pulsar-ts-io package [DIRECTORY]`: one file with the connector and all that it needs. Runs none of its code. */
export async function packageCommand(directory: string, flags: PackageFlags, host: CliHost): Promise<void> {
  const { connector, ...archive } = await packageConnector(directory, flags.output);
  const { stdout } = host.process;
  if (flags.json === true) {
    const { name, apiVersion } = connector.manifest;
    host.json.write({ name, version: connector.version, apiVersion, ...archive });
    return;
  }
  const { path, sha256, bytes, unpackedBytes, files, dependencies, binaries } = archive;
  stdout.write(`${path}\n`);
  stdout.write(
    `  connector ${connector.manifest.name} ${connector.version ?? ""} with ${dependencies} packages that it needs\n`,
  );
  stdout.write(`  ${files} files, ${kilobytes(bytes)} kB packed, ${kilobytes(unpackedBytes)} kB unpacked\n`);
  stdout.write(`  sha256 ${sha256}\n`);
  if (binaries.length > 0) {
    const { platform, arch } = process;
    stdout.write(
      `  ${binaries.length} compiled, such as ${binaries[0]}: it may run on ${platform}-${arch} alone\n`,
    );
  }
  stdout.write(`run it: pulsar-ts-io run --archive ${path} --output console\n`);
}

function kilobytes(bytes: number): string {
  return String(Math.ceil(bytes / 1000));
}
