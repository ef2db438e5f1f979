import { remedyOf, toError } from "@pulsar-ts-io/core";

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A command line as it could be typed. */
export function commandLine(args: readonly string[]): string {
  return `$ pulsar-ts-io ${args.map((arg) => (/^[\w./:-]+$/.test(arg) ? arg : `'${arg}'`)).join(" ")}`;
}

/** Runs a script's body until it ends or is interrupted; a failure becomes a line, its remedy another, and exit code 1. */
export async function runScript(body: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  try {
    await body(stop.signal);
  } catch (error) {
    process.stderr.write(`error: ${toError(error).message}\n`);
    const remedy = remedyOf(error);
    if (remedy !== undefined) process.stderr.write(`remedy: ${remedy}\n`);
    process.exitCode = 1;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}
