import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { cachedFolder } from "./cache.ts";
import { findJava } from "./java.ts";
import { type MavenJars, mavenJars } from "./maven-jars.ts";
import { runCommand } from "./run-command.ts";
import { StackPartMissingError } from "./stack-errors.ts";
import { type ResolvedStackOptions, resolveStackOptions, type StackOptions } from "./stack-options.ts";

/** A Java program of one file, named after its class, in no package. */
export interface JavaSource {
  readonly path: string;
  readonly jars: MavenJars;
}

/** A program that can be run: `java`, flags of the JVM, `args`, arguments of the program's own. */
export interface JavaProgram {
  readonly java: string;
  readonly args: readonly string[];
}

/**
 * Fetches the jars and compiles the program, each once; compiling it each time would take longer than running it.
 *
 * @throws StackPartMissingError (`PIO_STACK_PART_MISSING`) without a JDK 17 or Maven; StackFetchError (`PIO_STACK_FETCH_FAILED`).
 */
export async function prepareJava(source: JavaSource, options: StackOptions = {}): Promise<JavaProgram> {
  const resolved = resolveStackOptions(options);
  const java = await findJava(resolved);
  const jars = await mavenJars(source.jars, resolved);
  const classes = await compile(java, { ...source, jars }, resolved);
  return { java, args: ["-cp", join(jars, "*") + delimiter + classes, className(source.path)] };
}

async function compile(
  java: string,
  { path, jars }: { readonly path: string; readonly jars: string },
  options: ResolvedStackOptions,
): Promise<string> {
  const hash = createHash("sha256")
    .update(await readFile(path))
    .digest("hex")
    .slice(0, 12);
  const fill = async (folder: string) => {
    const compiler = ["-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main"];
    // Started this way the compiler takes no `*` in its class path.
    const classPath = (await readdir(jars)).map((jar) => join(jars, jar)).join(delimiter);
    const { exitCode, tail } = await runCommand(
      java,
      [...compiler, "-cp", classPath, "-proc:none", "-d", folder, path],
      options,
    );
    if (exitCode === 0) return;
    throw new StackPartMissingError(`${basename(path)} could not be compiled: ${tail}`, {
      remedy: "install a JDK 17: a Java runtime alone has no compiler",
    });
  };
  return await cachedFolder(`${className(path)}-${basename(jars)}-${hash}`, fill, options);
}

function className(path: string): string {
  return basename(path, ".java");
}
