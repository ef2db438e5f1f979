import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { prepareJava, preparePython, pulsarArtifacts, pulsarVersion } from "@pulsar-ts-io/testkit";
import type { PublishAnswer, PublishWork } from "./work.ts";

/** In the order they run; the wire producer next to Java, which it is held against. */
export const clientNames = ["wire", "java", "wire-portable", "python"] as const;

export type ClientName = (typeof clientNames)[number];

export const clientTitles: Readonly<Record<ClientName, string>> = {
  wire: "ours, native crc32c",
  java: `Pulsar's Java client ${pulsarVersion}`,
  "wire-portable": "ours, no native code",
  python: "Pulsar's Python client 3.13",
};

/** A client program, ready to run. */
export interface PublishClient {
  readonly name: ClientName;
  run(work: PublishWork): Promise<PublishAnswer>;
}

/** Fetches and compiles what the client needs, so that no round waits for it. */
export async function prepareClient(
  name: ClientName,
  report: (line: string) => void,
): Promise<PublishClient> {
  const command = await commandOf(name, report);
  return { name, run: (work) => ask(command, work) };
}

type Command = readonly [string, ...string[]];

async function commandOf(name: ClientName, report: (line: string) => void): Promise<Command> {
  switch (name) {
    case "wire":
      return wireClient([]);
    case "wire-portable":
      return wireClient(["--require", file("without-native.cjs")]);
    case "java": {
      const jars = pulsarArtifacts(pulsarVersion);
      const { java, args } = await prepareJava({ path: file("JavaPublisher.java"), jars }, { report });
      return [java, ...jvmFlags, ...args];
    }
    case "python": {
      const packages = {
        name: "python-pulsar-client",
        requirements: file("requirements.txt"),
        title: "Pulsar's Python client from PyPI",
      };
      return [await preparePython(packages, { report }), file("python_publisher.py")];
    }
    default:
      return name satisfies never;
  }
}

/** On the compiled packages, as users run them. */
function wireClient(nodeArgs: readonly string[]): Command {
  return [process.execPath, ...nodeArgs, file("wire-client.mjs")];
}

/** Memory and garbage collector as the JVM chooses them; the rest makes it quiet. */
const jvmFlags = [
  "-Dorg.apache.logging.log4j.level=ERROR",
  "-Dio.netty.tryReflectionSetAccessible=true",
  "--add-opens=java.base/sun.net=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED",
];

async function ask([command, ...args]: Command, work: PublishWork): Promise<PublishAnswer> {
  const { stdout } = await promisify(execFile)(command, [...args, JSON.stringify(work)], {
    maxBuffer: 64 * 1_048_576,
  });
  const line = stdout.trimEnd().split("\n").at(-1) ?? "";
  return JSON.parse(line) as PublishAnswer; // as work.ts says
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
