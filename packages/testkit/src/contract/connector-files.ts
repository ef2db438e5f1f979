import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type JsonSchema, type Manifest, parseManifest } from "@pulsar-ts-io/config";

/** What a connector's package says about itself; read, not run. */
export interface ConnectorFiles {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly schema: JsonSchema;
}

/** @throws whatever makes a file of it unreadable. */
export async function readConnectorFiles(directory: string): Promise<ConnectorFiles> {
  const packageJson: { readonly pulsarIo?: unknown } = JSON.parse(
    await readFile(join(directory, "package.json"), "utf8"),
  );
  const { pulsarIo } = packageJson;
  if (typeof pulsarIo !== "string") throw new Error(`the package.json of ${directory} has no pulsarIo field`);
  const path = join(directory, pulsarIo);
  const manifest = parseManifest(await readFile(path, "utf8"), path);
  const schema: JsonSchema = JSON.parse(await readFile(join(directory, manifest.sourceConfigSchema), "utf8"));
  return { directory, manifest, schema };
}
