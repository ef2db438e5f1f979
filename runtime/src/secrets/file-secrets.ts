import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { codeOf } from "@pulsar-ts-io/core";
import type { SecretAnswer, SecretEntry, SecretsProvider } from "./secrets-provider.ts";

/** Finds `{path, key}` in the file `<directory>/<path>/<key>`, as Kubernetes mounts secrets. Texts are taken as they are. */
export class FileSecrets implements SecretsProvider {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  async provide(_name: string, entry: SecretEntry): Promise<SecretAnswer> {
    if (typeof entry === "string") return { kind: "found", value: entry };
    const file = resolve(this.#directory, entry.path, entry.key);
    const way = relative(this.#directory, file);
    if (way.startsWith(`..${sep}`) || way === ".." || way === "") {
      return {
        kind: "missing",
        message: `names a file outside of ${this.#directory}`,
        remedy: "correct path and key",
      };
    }
    try {
      return { kind: "found", value: (await readFile(file, "utf8")).replace(/\r?\n$/, "") };
    } catch (error) {
      const why = codeOf(error) === "ENOENT" ? "does not exist" : `cannot be read (${codeOf(error) ?? "?"})`;
      const message = `is expected in the file ${file}, which ${why}`;
      return { kind: "missing", message, remedy: "mount it there, or correct path and key" };
    }
  }

  interpolate(): undefined {
    return undefined;
  }
}
