import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkSchema } from "../plugin/check-schema.ts";
import { type ConnectorPackage, readConnectorPackage } from "../plugin/connector-package.ts";
import { PluginArchiveError } from "../plugin/errors.ts";
import type { ArchiveStore } from "./archive-store.ts";
import { neededPackages } from "./needed-packages.ts";

/**
 * The connector in an archive, unpacked, with everything checked that can be without running its code.
 *
 * @throws PluginArchiveError (`PIO_PLUGIN_ARCHIVE`) when the archive is refused or lacks packages that the connector needs, and
 * the errors of {@link readConnectorPackage}.
 */
export async function readArchivedPackage(archive: string, store: ArchiveStore): Promise<ConnectorPackage> {
  const directory = await store.open(archive);
  const connector = await readConnectorPackage(directory, archive);
  checkSchema(connector);
  const missing = await missingPackages(directory);
  if (missing.length > 0) {
    throw new PluginArchiveError(
      `the archive ${archive} lacks what the connector needs: ${missing.join(", ")}`,
      {
        remedy: "make it with `pulsar-ts-io package`, which takes dependencies along, or install it with npm",
      },
    );
  }
  return connector;
}

async function missingPackages(directory: string): Promise<readonly string[]> {
  const needed = neededPackages(JSON.parse(await readFile(join(directory, "package.json"), "utf8")));
  const isThere = (name: string) => readFile(join(directory, "node_modules", name, "package.json"));
  const looks = await Promise.allSettled(needed.map(({ name }) => isThere(name)));
  return needed.flatMap(({ name, optional }, index) =>
    optional || looks[index]?.status === "fulfilled" ? [] : [name],
  );
}
