import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const bin = fileURLToPath(new URL("../../bin/pulsar-ts-io.js", import.meta.url));

/** A home with a file in it, where pulsar-ts-io is found by its name. */
export class ShellHome {
  readonly folder: string = mkdtempSync(join(tmpdir(), "shell-"));

  constructor() {
    symlinkSync(bin, join(this.folder, "pulsar-ts-io"));
    writeFileSync(join(this.folder, "my config.yaml"), "");
  }

  /** Runs a shell there; answers the lines that it writes. */
  async lines(shell: string, ...args: readonly string[]): Promise<readonly string[]> {
    const env = { HOME: this.folder, PATH: `${this.folder}${delimiter}${process.env["PATH"] ?? ""}` };
    const { stdout } = await promisify(execFile)(shell, [...args], { env, cwd: this.folder });
    return stdout.trimEnd().split("\n");
  }
}

/** Whether this machine has a shell of that name. */
export function installed(shell: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((place) => existsSync(join(place, shell)));
}
