import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateError } from "./errors.ts";

/** How a source comes to its records: it is asked for them, or called with them. */
export type ConnectorKind = "pull" | "push";

export const connectorKinds: readonly ConnectorKind[] = ["pull", "push"];

export interface NewConnector {
  /** Where to make it; its last part is its name, such as `my-source`. */
  readonly directory: string;
  readonly kind: ConnectorKind;
}

const templates = fileURLToPath(new URL("../template", import.meta.url));
/** What npm would not publish under its own name. */
const realNames: ReadonlyMap<string, string> = new Map([
  ["_gitignore", ".gitignore"],
  ["_github", ".github"],
  ["_package.json", "package.json"],
]);

/**
 * Makes the package of a connector: everything but what `npm install` brings.
 *
 * @returns the files it wrote, relative to the directory.
 * @throws CreateError (`PIO_CREATE`) when the name is none, or something is there already.
 */
export async function createConnector({ directory, kind }: NewConnector): Promise<readonly string[]> {
  const target = resolve(directory);
  const name = basename(target);
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new CreateError(`"${name}" is no name for a connector`, {
      remedy: "use small letters, digits and hyphens, such as my-source",
    });
  }
  if ((await readdir(target).catch(() => [])).length > 0) {
    throw new CreateError(`${target} is not empty`, { remedy: "choose another name, or empty it first" });
  }
  // The container image leaves them out: the next step needs npm, which it does not have either.
  if (!existsSync(templates)) {
    throw new CreateError("this installation holds no templates", {
      remedy: "run npm create pulsar-ts-io on a machine with npm",
    });
  }
  const version = await ownVersion();
  const written: string[] = [];
  for (const folder of ["common", kind]) {
    for (const file of await filesIn(join(templates, folder))) {
      const path = place(file, name);
      const text = await readFile(join(templates, folder, file), "utf8");
      await mkdir(dirname(join(target, path)), { recursive: true });
      await writeFile(join(target, path), fill(text, name, version), { flag: "wx" });
      written.push(path);
    }
  }
  return written.sort();
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function place(file: string, name: string): string {
  const parts = file.split(/[/\\]/).map((part) => realNames.get(part) ?? part);
  return parts.join("/").replaceAll("example-source", sourceName(name));
}

/** The templates are about `example-source`, packed as `example-package`, of class `ExampleSource`. */
function fill(text: string, name: string, version: string): string {
  return text
    .replaceAll("example-package", name)
    .replaceAll("example-source", sourceName(name))
    .replaceAll("ExampleSource", pascalCase(sourceName(name)))
    .replaceAll("0.0.0-workspace", version);
}

/** A source is called one, once. */
function sourceName(name: string): string {
  return name.endsWith("-source") ? name : `${name}-source`;
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL("../package.json", import.meta.url), "utf8");
  const { version }: { readonly version: string } = JSON.parse(text);
  return version;
}
