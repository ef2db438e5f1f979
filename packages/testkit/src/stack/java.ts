import { join } from "node:path";
import { runCommand } from "./run-command.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import type { ResolvedStackOptions } from "./stack-options.ts";

/** The oldest Java that runs Pulsar 4.0 and DynamoDB Local 2. */
const oldestJava = 17;

/**
 * The `java` to run: `$JAVA_HOME/bin/java`, else `java` on the PATH, whichever is at least version 17.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`)
 */
export async function findJava(options: ResolvedStackOptions): Promise<string> {
  const home = options.env["JAVA_HOME"];
  const candidates = home === undefined || home === "" ? ["java"] : [join(home, "bin", "java"), "java"];
  const found: string[] = [];
  for (const java of candidates) {
    const { exitCode, tail } = await runCommand(java, ["-version"], options);
    const version = exitCode === 0 ? javaVersion(tail) : undefined;
    if (version !== undefined && version >= oldestJava) return java;
    if (version !== undefined) found.push(`${java} is version ${version}`);
  }
  throw new StackPartMissingError(
    `no Java ${oldestJava} or newer found${found.length > 0 ? ` (${found.join(", ")})` : ""}`,
    { remedy: `install a JDK ${oldestJava} and put it on the PATH, or set JAVA_HOME` },
  );
}

/** The major version in the output of `java -version`: 17 of "17.0.15", 8 of "1.8.0_392". */
export function javaVersion(output: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The folder that a `java` was installed in. */
export async function javaHome(java: string, options: ResolvedStackOptions): Promise<string> {
  let home: string | undefined;
  const onLine = (line: string) => {
    home ??= /java\.home = (.+)/.exec(line)?.[1]?.trim();
  };
  await runCommand(java, ["-XshowSettings:properties", "-version"], { ...options, onLine });
  if (home !== undefined) return home;
  throw new StackPartMissingError(`${java} does not say where it is installed`, { remedy: "set JAVA_HOME" });
}

/** Whether Maven can be run. */
export async function hasMaven(options: ResolvedStackOptions): Promise<boolean> {
  const { exitCode } = await runCommand("mvn", ["-v"], options);
  return exitCode === 0;
}
