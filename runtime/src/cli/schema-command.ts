import { writeGeneratedFiles } from "@pulsar-ts-io/config";
import { ConnectorError } from "@pulsar-ts-io/core";
import { schemaFiles } from "../author/schema-files.ts";
import type { CliHost } from "./cli-host.ts";

export interface SchemaFlags {
  readonly check?: boolean | undefined;
}

/** Something generated says something else than the table it was generated from. */
class SchemaDriftError extends ConnectorError {
  readonly code = "PIO_SCHEMA_DRIFT";
  readonly retryable = false;
}

/**
 * `pulsar-ts-io schema [DIRECTORY]`: turns the property table of a connector into its schema and its type.
 *
 * @throws SchemaDriftError (`PIO_SCHEMA_DRIFT`) with `--check`, when a file differs; PropertyTableError naming the row that is wrong.
 */
export async function schemaCommand(directory: string, flags: SchemaFlags, host: CliHost): Promise<void> {
  const files = await schemaFiles(directory);
  const { stdout } = host.process;
  const stale = files.filter(({ upToDate }) => !upToDate).map(({ path }) => path);
  if (flags.check === true && stale.length > 0) {
    throw new SchemaDriftError(`${stale.join(" and ")} differ from the property table in README.md`, {
      remedy: "run `pulsar-ts-io schema`, and commit what it writes",
    });
  }
  for (const path of flags.check === true ? [] : await writeGeneratedFiles(directory, files)) {
    stdout.write(`wrote ${path}\n`);
  }
  stdout.write(`${files.length - stale.length} of ${files.length} files were up to date\n`);
}
